import Datasets
import Foundation
import Native
import TestSupport
import Testing

@Suite("Class folders")
struct ClassFolderTests {
    @Test("number classes by the bytes of their names, and leave out what is no picture")
    func scans() throws {
        let folder = try DataFolder()
        for name in [
            "b/2.jpg", "b/10.JPG", "b/sub/deep/1.webp", "B/x.png", "10/a.jpeg", "9/a.jpg",
            "b/.hidden.jpg", "b/._2.jpg", "__MACOSX/b/2.jpg", ".git/x/y.jpg", "b/.DS_Store",
            "b/notes.txt", "readme.md", "b/sub-a.jpg",
        ] { try folder.write([1], to: name) }
        try createFolder(atPath: folder.path + "/empty")
        let data = try Dataset.open(folder.path)
        #expect(data.classNames == ["10", "9", "B", "b"])
        #expect(
            data.listing == [
                "10/a.jpeg 10", "9/a.jpg 9", "B/x.png B", "b/10.JPG b", "b/2.jpg b",
                "b/sub-a.jpg b", "b/sub/deep/1.webp b",
            ])
        #expect(data.notes.contains("2 files are no pictures by their names: left out"))
        #expect(data.notes.contains("empty holds no picture and is no class"))
        #expect(data.source.byteCount(of: data.samples[0]) == 1)
    }

    @Test(
        "take train and val apart, whatever they are called",
        arguments: [
            ("train", "val"), ("training", "validation"), ("train", "valid"), ("Train", "test"),
        ])
    func parts(training: String, validation: String) throws {
        let folder = try DataFolder()
        for name in ["\(training)/a/1.jpg", "\(training)/c/2.jpg", "\(validation)/b/3.jpg"] {
            try folder.write([1], to: name)
        }
        try folder.write([1], to: "extra/x/1.jpg")
        let split = try DatasetSplit.open(folder.path)
        #expect(split.training.classNames == ["a", "b", "c"])
        #expect(split.training.listing == ["\(training)/a/1.jpg a", "\(training)/c/2.jpg c"])
        #expect(split.validation.listing == ["\(validation)/b/3.jpg b"])
        #expect(split.notes.contains("b is measured by and not learnt"))
        #expect(split.notes.contains("extra is neither of train, val and test: left out"))
        let measured = try Dataset.open(folder.path)
        #expect(measured.samples == split.validation.samples)
        let learnt = try Dataset.open(folder.path, part: .training)
        #expect(learnt.samples == split.training.samples)
        let all = try Dataset.open(folder.path, part: .all)
        #expect(all.samples.count == 3)
    }

    @Test("take val before test where both are there")
    func valBeforeTest() throws {
        let folder = try DataFolder()
        for part in ["train", "val", "test"] {
            for name in ["a", "b"] { try folder.write([1], to: "\(part)/\(name)/\(part).jpg") }
        }
        let split = try DatasetSplit.open(folder.path)
        #expect(split.validation.samples.map { $0.name } == ["val/a/val.jpg", "val/b/val.jpg"])
        let test = try Dataset.open(folder.path, part: .test)
        #expect(test.samples.map { $0.name } == ["test/a/test.jpg", "test/b/test.jpg"])
    }

    @Test("take a folder called train that holds pictures for a class of trains")
    func trains() throws {
        let folder = try DataFolder()
        for name in ["train/1.jpg", "train/2.jpg", "plane/1.jpg"] {
            try folder.write([1], to: name)
        }
        let data = try Dataset.open(folder.path)
        #expect(data.classNames == ["plane", "train"])
    }

    @Test("follow links, and end loops of them")
    func links() throws {
        let folder = try DataFolder()
        let elsewhere = try DataFolder()
        try elsewhere.write([1, 2], to: "x.jpg")
        try folder.write([1], to: "a/1.jpg")
        try folder.link("b", to: elsewhere.path)
        try folder.link("a/loop", to: "../a")
        try folder.link("a/self.jpg", to: "self.jpg")
        try folder.link("a/up", to: "..")
        let data = try Dataset.open(folder.path)
        #expect(data.classNames == ["a", "b"])
        // Through `up` the whole folder is a part of class a once, and that is all.
        #expect(
            data.listing == [
                "a/1.jpg a", "a/self.jpg a", "a/up/b/x.jpg a", "b/x.jpg b",
            ])
        #expect(data.notes.contains { $0.hasPrefix("a/loop leads back") })
        let broken = try #require(data.samples.first { $0.name == "a/self.jpg" })
        #expect(code { _ = try data.source.content(of: broken) } == .unreadable)
    }

    @Test("name what lies under names that are not UTF-8")
    func otherBytes() throws {
        let folder = try DataFolder()
        for name in ["a/1.jpg", "b/1.jpg"] { try folder.write([1], to: name) }
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [
            "-c", "cd \"$1\" && : > \"a/$(printf 'x\\351').jpg\" && mkdir \"$(printf 'c\\351')\"",
            "sh", folder.path,
        ]
        try process.run()
        process.waitUntilExit()
        let data = try Dataset.open(folder.path)
        #expect(data.listing == ["a/1.jpg a", "b/1.jpg b"])
        let reason = "its name is not UTF-8; rename it"
        #expect(
            data.leftOut == [
                SkippedSample(name: "c\u{FFFD}", reason: reason),
                SkippedSample(name: "a/x\u{FFFD}.jpg", reason: reason),
            ])
    }

    @Test("tell classes and pictures apart by the bytes of their names")
    func spellings() throws {
        let folder = try DataFolder()
        // The letter é in one piece and in two.
        for name in ["\u{E9}", "e\u{301}"] { try folder.write([1], to: "\(name)/1.jpg") }
        let data = try Dataset.open(folder.path)
        #expect(data.samples.map { $0.label } == [0, 1])
        #expect(data.classNames.map { $0.utf8.count } == [3, 2])
        let list = try folder.write("\u{E9}/1.jpg,x\ne\u{301}/1.jpg,y\n", to: "l.csv")
        let listed = try Dataset.open(list)
        #expect(listed.samples.map { $0.label } == [0, 1])
    }

    @Test(
        "beside archives or records are no data without a word",
        arguments: ["a/1.jpg", "train/a/1.jpg"])
    func ambiguous(picture: String) throws {
        let folder = try DataFolder()
        var tar = TarWriter()
        tar.add("1.jpg", [1])
        tar.add("1.cls", [0x30])
        let archive = try folder.write(tar.finished, to: "backup.tar")
        #expect(try Dataset.open(folder.path).samples.count == 1)
        try folder.write([1], to: picture)
        #expect(code { _ = try Dataset.open(folder.path) } == .notRecognised)
        #expect(
            message { _ = try Dataset.open(folder.path) }.contains("backup.tar beside the folder"))
        #expect(try Dataset.open(archive).samples.count == 1)
    }

    @Test("name what cannot be read, and what is not there")
    func failures() throws {
        let folder = try DataFolder()
        try folder.write([1], to: "a/1.jpg")
        try folder.write([1], to: "b/1.jpg")
        let data = try Dataset.open(folder.path)
        try FileManager.default.removeItem(atPath: folder.path + "/a/1.jpg")
        #expect(code { _ = try data.source.content(of: data.samples[0]) } == .notFound)
        #expect(code { _ = try Dataset.open(folder.path + "/nothing") } == .notFound)
    }

    @Test("say what was expected where there are no classes")
    func unclear() throws {
        let folder = try DataFolder()
        #expect(message { _ = try Dataset.open(folder.path) }.contains("found nothing"))
        try folder.write([1], to: "1.jpg")
        #expect(
            message { _ = try Dataset.open(folder.path) }
                .contains("found 1 pictures without such folders"))
        try folder.write([1], to: "a/notes.txt")
        #expect(code { _ = try Dataset.open(folder.path) } == .notRecognised)
        try folder.write([1], to: "a/1.jpg")
        #expect(
            message { _ = try DatasetSplit.open(folder.path) }
                .contains("expected two classes or more to tell apart, found one: a"))
        try folder.write([1], to: "train/x/1.jpg")
        try folder.write([1], to: "training/x/1.jpg")
        #expect(message { _ = try Dataset.open(folder.path) }.contains("rename one"))
    }

    @Test("find real data", .enabled(if: SharedData.path("imagenette") != nil, "no shared data"))
    func real() throws {
        let imagenette = try DatasetSplit.open(try #require(SharedData.path("imagenette")))
        #expect(imagenette.training.classCounts == [Int](repeating: 500, count: 10))
        #expect(imagenette.validation.classCounts == [Int](repeating: 150, count: 10))
        let flowers = try DatasetSplit.open(try #require(SharedData.path("flowers")))
        #expect(flowers.training.samples.count + flowers.validation.samples.count == 4317)
        for (all, part) in zip(
            try Dataset.open(try #require(SharedData.path("flowers"))).classCounts,
            flowers.validation.classCounts)
        { #expect(abs(Double(part) - 0.2 * Double(all)) <= 1) }
    }
}
