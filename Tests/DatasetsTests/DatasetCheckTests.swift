import Datasets
import FoundationEssentials
import Images
import Native
import TestSupport
import Testing

@Suite("Checks of data")
struct DatasetCheckTests {
    /// A picture of the tests of images.
    private func fixture(_ name: String) throws -> [UInt8] {
        let tests = DataFixtures.folder.split(separator: "/").dropLast(2).joined(separator: "/")
        return bytesOf(try Memory(reading: "/\(tests)/ImagesTests/Fixtures/pictures/\(name)"))
    }

    /// Plants odd files, and gives the names of those that cannot be read.
    private func plant(_ folder: DataFolder) throws -> Set<String> {
        var bad: Set<String> = []
        let whole = try DrawnPictures.jpeg(1, width: 64, height: 48)
        func plant(_ kind: String, _ count: Int, isBad: Bool, _ bytes: (Int) throws -> [UInt8])
            throws
        {
            for number in 0..<count {
                let name = "class \(number % 10)/\(kind)-\(number).jpg"
                try folder.write(try bytes(number), to: name)
                if isBad { bad.insert(name) }
            }
        }
        try plant("empty", 10, isBad: true) { _ in [] }
        try plant("truncated", 10, isBad: true) { Array(whole.prefix(whole.count - 40 - $0)) }
        try plant("html", 10, isBad: true) { Array("<!DOCTYPE html><p>\($0)".utf8) }
        try plant("suffix", 10, isBad: false) { try DrawnPictures.png(20_000 + $0) }
        try plant("cmyk", 10, isBad: false) { _ in try fixture("37x41-cmyk-baseline.jpg") }
        try plant("16-bit", 8, isBad: false) { _ in try fixture("rgb-16.png") }
        try plant("1x1", 8, isBad: false) { try DrawnPictures.png($0, width: 1, height: 1) }
        try plant("exif", 8, isBad: false) { try fixture("orientation-\($0 + 1).jpg") }
        try plant("animated", 6, isBad: false) {
            try fixture($0 % 2 == 0 ? "animated.png" : "animated-alpha.webp")
        }
        for number in 0..<10 {
            let loop = "class \(number)/loop.jpg"
            try folder.link(loop, to: "loop.jpg")
            bad.insert(loop)
            let closed = "class \(number)/closed.jpg"
            let path = try folder.write(whole, to: closed)
            try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
            // A superuser may read it all the same.
            if (try? Memory(reading: path)) == nil { bad.insert(closed) }
            try folder.write("store", to: "class \(number)/.DS_Store")
        }
        return bad
    }

    @Test("find the bad ones of 10,000 pictures, each with its reason, and change nothing")
    func planted() throws {
        let folder = try DataFolder()
        for number in 0..<9900 {
            try folder.write(
                try DrawnPictures.jpeg(number), to: "class \(number % 10)/\(number).jpg")
        }
        let bad = try plant(folder)
        let before = try folder.hash()
        let split = try DatasetSplit.open(folder.path)
        #expect(split.training.samples.count + split.validation.samples.count == 10_000)
        let report = try DatasetCheck().run(split)
        #expect(report.sampleCount == 10_000)
        #expect(Set(report.bad.map { $0.name }) == bad)
        #expect(report.bad.count == bad.count)
        #expect(report.badShare == Double(bad.count) / 10_000)
        let named = report.bad.count { $0.reason.isEmpty || $0.reason.contains($0.name + ":") }
        #expect(named == 0)
        let html = report.bad.first { $0.name.contains("html") }?.reason
        #expect(html == "expected a JPEG, PNG or WebP, found a web page")
        let loop = report.bad.first { $0.name.contains("loop") }?.reason
        #expect(loop == "expected a readable file: Too many levels of symbolic links")
        #expect(report.leaks.isEmpty)
        #expect(try folder.hash() == before)

        let elsewhere = try DataFolder()
        let path = elsewhere.path + "/skipped.jsonl"
        var file = try SkippedSampleFile(path)
        try file.write(report.bad)
        let lines = try FileSystem.text(of: path).split(separator: "\n")
        #expect(lines.count == bad.count)
        struct Line: Decodable {
            var path: String
            var reason: String
        }
        let decoded = try lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        #expect(decoded.map { $0.path } == report.bad.map { $0.name })
        #expect(decoded.map { $0.reason } == report.bad.map { $0.reason })
    }

    @Test("name pictures on both sides of a split, and in two classes")
    func duplicates() throws {
        let folder = try DataFolder()
        for (name, number) in [
            ("train/a/1.jpg", 1), ("train/a/2.jpg", 2), ("train/b/3.jpg", 3), ("train/b/4.jpg", 1),
            ("val/a/5.jpg", 2), ("val/b/6.jpg", 6), ("train/b/7.jpg", 3),
        ] { try folder.write(try DrawnPictures.jpeg(number), to: name) }
        let report = try DatasetCheck(workers: 3).run(try DatasetSplit.open(folder.path))
        #expect(report.bad.isEmpty)
        #expect(
            report.duplicates.map { $0.names } == [
                ["train/a/1.jpg", "train/b/4.jpg"], ["train/a/2.jpg", "val/a/5.jpg"],
                ["train/b/3.jpg", "train/b/7.jpg"],
            ])
        #expect(report.leaks.map { $0.names } == [["train/a/2.jpg", "val/a/5.jpg"]])
        #expect(report.conflicts.map { $0.names } == [["train/a/1.jpg", "train/b/4.jpg"]])
    }

    @Test("count what was left out on opening, and end when asked to")
    func others() throws {
        let folder = try DataFolder()
        var tar = TarWriter()
        for key in ["1", "2"] {
            tar.add("\(key).jpg", try DrawnPictures.jpeg(1))
            tar.add("\(key).cls", Array(key.utf8))
        }
        tar.add("3.jpg", try DrawnPictures.jpeg(3))
        try folder.write(tar.finished, to: "train.tar")
        var other = TarWriter()
        other.add("4.jpg", try DrawnPictures.jpeg(4))
        other.add("4.cls", Array("1".utf8))
        try folder.write(other.finished, to: "val.tar")
        let split = try DatasetSplit.open(folder.path)
        let report = try DatasetCheck().run(split)
        #expect(report.bad.map { $0.name } == ["train.tar/3.jpg"])
        let cancellation = Cancellation()
        cancellation.cancel()
        #expect(
            code { _ = try DatasetCheck().run(split, cancellation: cancellation) } == .unreadable)
    }

    @Test("measure pictures by their headers, turned upright")
    func statistics() throws {
        let folder = try DataFolder()
        try folder.write(try fixture("orientation-6.jpg"), to: "a/1.jpg")
        try folder.write(try DrawnPictures.png(1, width: 3, height: 5), to: "a/2.png")
        try folder.write(try fixture("35x22-lossy.webp"), to: "a/3.webp")
        try folder.write("nothing", to: "a/4.jpg")
        let data = try Dataset.open(folder.path)
        let upright = try Image(decoding: Memory(copying: try data.bytes(0)))
        let statistics = try DatasetStatistics(of: data)
        #expect(statistics.sampleCount == 4)
        #expect(statistics.unreadable.map { $0.name } == ["a/4.jpg"])
        #expect(statistics.formats == [.jpeg: 1, .png: 1, .webp: 1])
        #expect(
            statistics.width?.minimum == 3 && statistics.width?.maximum == max(35, upright.width))
        #expect(statistics.height?.minimum == 5)
        #expect(statistics.height?.maximum == max(22, upright.height))
        #expect(statistics.shortSide?.median == min(22, min(upright.width, upright.height)))
        let bytes = try (0..<3).reduce(0) { try $0 + data.bytes($1).count }
        #expect(statistics.totalByteCount == bytes)
    }

    @Test(
        "find real data in order",
        .enabled(if: SharedData.path("jpegs") != nil, "no shared data"))
    func real() throws {
        let path = try #require(SharedData.path("jpegs")) + "/labels.csv"
        let data = try Dataset.open(path)
        let report = try DatasetCheck().run(
            DatasetSplit(training: data, validation: data.selecting([])))
        #expect(report.sampleCount == 100 && report.bad.isEmpty && report.duplicates.isEmpty)
        let statistics = try DatasetStatistics(of: data)
        #expect(statistics.formats == [.jpeg: 100] && statistics.unreadable.isEmpty)
    }
}
