import CommandLineTool
import FoundationEssentials
import Native
import Testing

@Suite("Runs command")
struct RunsCommandTests {
    /// A folder with two runs and something else in it.
    private func runs() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for (name, rate, top1) in [("first", "0.1", 0.5), ("second", "0.2", 0.75)] {
            try folder.write("lr: \(rate)\nepochs: 2\n", to: "\(name)/config.yaml")
            try folder.write(
                """
                {"kind":"train","step":5,"epoch":0,"loss":2,"top1":0.3,"top5":0.8,"learning_rate":\(rate),\
                "images_per_second":30,"gradient_norm":null,"seconds":9}
                {"kind":"validation","step":10,"epoch":1,"loss":1.5,"top1":\(top1),"top5":0.9,\
                "macro_f1":0.4,"ece":0.05,"seconds":20}

                """, to: "\(name)/metrics.jsonl")
        }
        try folder.write("nothing", to: "other/file.txt")
        return folder
    }

    @Test("lists the runs in a folder, the best first")
    func list() async throws {
        let folder = try runs()
        let console = TestConsole()
        expect(await console.run("runs", "list", folder.path), .success)
        let lines = console.output.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[1].contains("second") && lines[1].contains("75.00"))
        #expect(lines[2].contains("first") && lines[2].contains("20 s"))
        let json = TestConsole()
        expect(await json.run("runs", "list", folder.path, "--format", "json"), .success)
        struct Run: Decodable {
            var name: String
            var steps: Int
            var settings: [String: String]
        }
        let decoded = try JSONDecoder().decode([Run].self, from: Data(json.output.utf8))
        #expect(decoded.map { $0.name } == ["second", "first"])
        #expect(decoded[0].settings["lr"] == "0.2")
    }

    @Test("lists and compares all runs where the evaluation of one is damaged")
    func damaged() async throws {
        let folder = try runs()
        try folder.write("{\"top1\": \"much\"}", to: "first/evaluation.json")
        let console = TestConsole()
        expect(await console.run("runs", "list", folder.path), .success)
        #expect(console.output.contains("first") && console.output.contains("second"))
        #expect(console.error.contains("first/evaluation.json"))
        let page = folder.path + "/page.html"
        expect(await console.run("runs", "compare", folder.path, "-o", page), .success)
        let shown = TestConsole()
        expect(await shown.run("runs", "show", folder.path + "/first"), .badData)
    }

    @Test("shows a run")
    func show() async throws {
        let folder = try runs()
        let console = TestConsole()
        expect(await console.run("runs", "show", folder.path + "/first"), .success)
        #expect(console.output.contains("top-1 50.00 %"))
        #expect(console.output.contains("10 in 1 epochs"))
        let missing = TestConsole()
        expect(await missing.run("runs", "show", folder.path + "/other"), .inputMissing)
        #expect(missing.error.contains("config.yaml"))
    }

    @Test("compares runs: the settings that differ, and a page of curves")
    func compare() async throws {
        let folder = try runs()
        let console = TestConsole()
        let page = folder.path + "/page.html"
        expect(await console.run("runs", "compare", folder.path, "-o", page), .success)
        #expect(console.output.contains("lr"))
        #expect(!console.output.contains("epochs:"))
        #expect(console.error.contains(page))
        let text = try folder.text(of: "page.html")
        #expect(text.contains("first, validation") && text.contains("second, validation"))
        let single = TestConsole()
        expect(
            await single.run("runs", "compare", folder.path + "/first", "-o", page),
            .inputMissing)
    }

    @Test("writes the page of each run anew")
    func report() async throws {
        let folder = try runs()
        let console = TestConsole()
        expect(await console.run("runs", "report", folder.path), .success)
        #expect(console.output.split(separator: "\n").count == 2)
        let page = try folder.text(of: "second/report.html")
        #expect(page.contains("best top-1"))
        let nothing = TestConsole()
        expect(await nothing.run("runs", "report", folder.path + "/other"), .inputMissing)
    }
}
