import CommandLineTool
import FoundationEssentials
import Images
import Native
import Testing

@Suite("Data commands")
struct DataCommandTests {
    /// Two classes of twenty pictures, one of which is none, and one lies in both classes.
    private func folder() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for number in 0..<20 {
            try folder.write(
                try TinyModelFile.png(UInt64(number)), to: "pets/cats/\(number).png")
            try folder.write(
                try TinyModelFile.png(UInt64(100 + number), width: 60),
                to: "pets/dogs/\(number).png")
        }
        try folder.write("<html>", to: "pets/dogs/7.png")
        try folder.write(try TinyModelFile.png(3), to: "pets/dogs/\u{1B}[31m3.png")
        return folder
    }

    private struct Check: Decodable {
        struct Class: Decodable {
            var index: Int
            var name: String
            var train: Int
            var val: Int
        }
        struct Bad: Decodable {
            var path: String
            var reason: String
        }
        var samples: Int
        var classes: [Class]
        var bad: [Bad]
        var badShare: Double
        var leaks: [[String]]
        var conflicts: [[String]]
        var notes: [String]
    }

    private func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(text.utf8))
    }

    @Test("check finds bad pictures, writes them down, and ends with 65 above the share")
    func check() async throws {
        let folder = try folder()
        let data = folder.path + "/pets"
        let console = TestConsole()
        let status = await console.run(
            "data", "check", data, "--format", "json", "--skipped", folder.path + "/skipped.jsonl")
        expect(status, .badData)
        #expect(
            console.error.contains("expected at most 1.00 % bad pictures, found 1 of 41 (2.44 %)"))
        let report = try decode(Check.self, console.output)
        #expect(report.samples == 41 && report.bad.count == 1)
        #expect(report.bad[0].path == "dogs/7.png")
        #expect(report.bad[0].reason == "expected a JPEG, PNG or WebP, found a web page")
        #expect(report.classes.map { $0.name } == ["cats", "dogs"])
        #expect(report.classes.map { $0.train + $0.val } == [20, 21])
        #expect(report.classes.map { $0.val } == [4, 4])
        #expect(report.leaks.isEmpty)
        #expect(report.conflicts == [["cats/3.png", "dogs/\u{1B}[31m3.png"]])
        #expect(
            try folder.text(of: "skipped.jsonl")
                == "{\"path\":\"dogs/7.png\",\"reason\":\"expected a JPEG, PNG or WebP, found a web page\"}\n"
        )
        let text = TestConsole()
        expect(await text.run("data", "check", data, "--max-bad", "3%"), .success)
        #expect(text.output.contains("bad: 1 (2.44 %)\n  dogs/7.png: expected a JPEG"))
        // A name cannot drive the terminal.
        #expect(text.output.contains("cats/3.png, dogs/\\u{1b}[31m3.png"))
        #expect(!text.output.contains("\u{1B}"))
        let inside = TestConsole()
        expect(
            await inside.run("data", "check", data, "--skipped", data + "/skipped.jsonl"), .usage)
    }

    @Test("check looks at data that cannot be learnt from, too")
    func checksAlone() async throws {
        let folder = try TemporaryFolder()
        for number in 0..<3 {
            try folder.write(try TinyModelFile.png(UInt64(number)), to: "pets/cats/\(number).png")
        }
        let console = TestConsole()
        expect(
            await console.run("data", "check", folder.path + "/pets", "--format", "json"), .success)
        let report = try decode(Check.self, console.output)
        #expect(report.samples == 3 && report.classes.map { $0.train } == [3])
        let note = report.notes.last ?? ""
        #expect(note.contains("not split: ") && note.contains("found one: cats"))
    }

    @Test("check and stats look at test pictures and those of no part, too")
    func looksAtAll() async throws {
        let folder = try TemporaryFolder()
        var list = "file,label,split\n"
        for (number, part) in ["train", "train", "val", "val", "test", "test", "", "", ""]
            .enumerated()
        {
            // The last one of no part is none, the first one to test by is one that is learnt from.
            let name = "pets/\(number).png"
            if number == 8 {
                try folder.write("<html>", to: name)
            } else {
                try folder.write(try TinyModelFile.png(number == 4 ? 0 : UInt64(number)), to: name)
            }
            list += "\(number).png,\(number % 2 == 0 ? "cat" : "dog"),\(part)\n"
        }
        try folder.write(list, to: "pets/list.csv")
        let data = folder.path + "/pets/list.csv"
        let console = TestConsole()
        expect(await console.run("data", "check", data, "--format", "json"), .badData)
        struct Checked: Decodable {
            struct Class: Decodable {
                var train: Int
                var val: Int
                var test: Int
                var none: Int
            }
            var samples: Int
            var classes: [Class]
            var bad: [Check.Bad]
            var leaks: [[String]]
        }
        let report = try decode(Checked.self, console.output)
        #expect(report.samples == 9)
        #expect(report.bad.map { $0.path } == ["8.png"])
        #expect(report.leaks == [["0.png", "4.png"]])
        #expect(
            report.classes.map { [$0.train, $0.val, $0.test, $0.none] } == [
                [1, 1, 1, 2], [1, 1, 1, 1],
            ])
        let stats = TestConsole()
        expect(await stats.run("data", "stats", data, "--format", "csv"), .success)
        #expect(
            stats.output == "class,name,train,val,test,none\n0,cat,1,1,1,2\n1,dog,1,1,1,1\n")
        let text = TestConsole()
        expect(await text.run("data", "stats", data), .success)
        #expect(text.output.contains("\ntest") && text.output.contains("\nnone"))
    }

    @Test("stats counts and measures")
    func stats() async throws {
        let folder = try folder()
        let data = folder.path + "/pets"
        let console = TestConsole()
        expect(await console.run("data", "stats", data, "--format", "json"), .success)
        struct Stats: Decodable {
            struct Spread: Decodable {
                var min: Int
                var median: Int
                var max: Int
            }
            struct Side: Decodable {
                var samples: Int
                var unreadable: Int
                var formats: [String: Int]
                var width: Spread
                var shortSide: Spread
                var digest: String
            }
            var train: Side
            var val: Side
        }
        let stats = try decode(Stats.self, console.output)
        #expect(stats.train.samples + stats.val.samples == 41)
        #expect(stats.train.unreadable + stats.val.unreadable == 1)
        #expect((stats.train.formats["png"] ?? 0) + (stats.val.formats["png"] ?? 0) == 40)
        #expect(stats.train.width.min == 40 && stats.train.width.max == 60)
        #expect(stats.train.shortSide.median == 30 && stats.train.digest.count == 64)
        let csv = TestConsole()
        expect(await csv.run("data", "stats", data, "--format", "csv"), .success)
        #expect(csv.output == "class,name,train,val\n0,cats,16,4\n1,dogs,17,4\n")
        let text = TestConsole()
        expect(await text.run("data", "stats", "shapes:train=40,val=20,size=16"), .success)
        #expect(text.output.contains("train") && text.output.contains("16 16 16"))
    }

    @Test("pack writes a file that is data again")
    func pack() async throws {
        let folder = try folder()
        let output = folder.path + "/pets.records"
        let console = TestConsole()
        expect(await console.run("data", "pack", folder.path + "/pets", "-o", output), .badData)
        #expect(console.error.contains("1 of 41 pictures are bad"))
        let packed = TestConsole()
        expect(
            await packed.run(
                "data", "pack", folder.path + "/pets", "-o", output, "--max-bad", "0.05", "--size",
                "20", "--format", "json"), .success)
        struct Report: Decodable {
            var samples: Int
            var resized: Int
            var bytes: Int
        }
        let report = try decode(Report.self, packed.output)
        #expect(report.samples == 40 && report.resized == 40)
        #expect(FileSystem.byteCount(of: output) == report.bytes)
        let again = TestConsole()
        expect(await again.run("data", "check", output, "--format", "json"), .success)
        #expect(try decode(Check.self, again.output).samples == 40)
    }

    @Test("say what is wrong with data that is none, by their statuses")
    func failures() async throws {
        let folder = try TemporaryFolder()
        try folder.write("x", to: "some/notes.txt")
        for (arguments, status) in [
            (["data", "check", folder.path + "/none"], ExitStatus.inputMissing),
            (["data", "check", folder.path], .badData),
            (["data", "stats", "shapes:size=1"], .usage),
            (["data", "check", "x", "--max-bad", "200%"], .usage),
            (["data", "check", "x", "--format", "csv"], .usage),
            (["data", "check", "x", "--validation-share", "1"], .usage),
            (["data", "pack", "x", "--quality", "0"], .usage),
            (
                [
                    "data", "pack", "shapes:train=20,val=10,size=16", "-o",
                    folder.path + "/a/b.records",
                ], .cannotCreate
            ),
        ] {
            let console = TestConsole()
            let found = await console.run(arguments: arguments)
            #expect(found == status, "\(arguments)")
            #expect(!console.error.isEmpty)
        }
    }
}
