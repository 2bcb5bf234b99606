import Datasets
import Native
import Testing

@Suite("Tar and TFRecord shards")
struct ShardTests {
    @Test(
        "of WebDataset, tarfile and TensorFlow hold what was written",
        arguments: ["webdataset", "tar", "tfrecord"])
    func fixtures(folder: String) throws {
        let data = try Dataset.open("\(DataFixtures.folder)/\(folder)", part: .all)
        let expected = try DataFixtures.table("shards.tsv").filter { $0[0] == folder }
        #expect(data.samples.map { $0.name } == expected.map { $0[1] })
        #expect(data.samples.map { String($0.label) } == expected.map { $0[2] })
        for (position, line) in expected.enumerated() {
            let sum = crc32(Memory(copying: try data.bytes(position)))
            #expect(sum == UInt32(line[3], radix: 16))
        }
    }

    @Test("tell parts by their names, and classes by what is written")
    func parts() throws {
        let web = try DatasetSplit.open("\(DataFixtures.folder)/webdataset")
        #expect(web.training.samples.count == 4 && web.validation.samples.count == 2)
        #expect(web.training.classNames == ["class 0", "class 1", "class 2"])
        let records = try DatasetSplit.open("\(DataFixtures.folder)/tfrecord")
        #expect(records.training.samples.count == 4 && records.validation.samples.count == 2)
        #expect(
            records.training.classNames == [
                "tench, Tinca tinca", "goldfish, Carassius auratus", "great white shark",
            ])
    }

    @Test("are named by braces")
    func braces() throws {
        let base = "\(DataFixtures.folder)/webdataset"
        let data = try Dataset.open("\(base)/toys-train-{000000..000001}.tar")
        #expect(data.samples.count == 4)
        #expect(data.samples[0].name == "toys-train-000000.tar/toys/0000.jpg")
        let both = try Dataset.open("\(base)/toys-{train-000000,val-000000}.tar", part: .all)
        #expect(both.samples.count == 4)
        #expect(code { _ = try Dataset.open("\(base)/toys-train-{0..1}.tar") } == .notFound)
        for wrong in ["{5..3}", "{a..b}", "{0..1", "{0..99999999}"] {
            let found = code { _ = try Dataset.open("\(base)/toys-train-\(wrong).tar") }
            #expect(found == .invalidOption || found == .limitExceeded)
        }
    }

    @Test("take names of classes from the labels, or from a file beside them")
    func classNames() throws {
        let folder = try DataFolder()
        var tar = TarWriter()
        for (key, label) in [("1", "rose"), ("2", "lily"), ("3", "rose\n")] {
            tar.add("./\(key).jpg", try DrawnPictures.jpeg(1))
            tar.add("./\(key).cls", Array(label.utf8))
        }
        let path = try folder.write(tar.finished, to: "a.tar")
        let data = try Dataset.open(path)
        #expect(data.classNames == ["lily", "rose"])
        #expect(data.samples.map { $0.label } == [1, 0, 1])
        try folder.write("rose\nlily\ndaisy\n", to: "classnames.txt")
        let named = try Dataset.open(path)
        #expect(named.classNames == ["rose", "lily", "daisy"])
        #expect(named.samples.map { $0.label } == [0, 1, 0])
        try folder.write("lily\n", to: "classnames.txt")
        #expect(code { _ = try Dataset.open(path) } == .malformed)
    }

    @Test("leave out pictures without labels, and say so")
    func leftOut() throws {
        let folder = try DataFolder()
        var tar = TarWriter()
        tar.add("a.jpg", [1])
        tar.add("b.jpg", [2])
        tar.add("b.cls", Array("4".utf8))
        tar.add("c.left.jpg", [3])
        tar.add("c.jpg", [4])
        tar.add("c.cls", [0xFF])
        tar.add("d.json", [5])
        tar.add("._e.jpg", [6])
        tar.add("__MACOSX/f.jpg", [7])
        tar.add("g.left.png", [8])
        tar.add("g.cls", Array("0".utf8))
        let path = try folder.write(tar.finished, to: "x.tar")
        let data = try Dataset.open(path)
        #expect(data.samples.map { $0.name } == ["x.tar/b.jpg", "x.tar/g.left.png"])
        #expect(try data.bytes(0) == [2])
        #expect(
            data.leftOut == [
                SkippedSample(name: "x.tar/a.jpg", reason: "there is no a.cls beside it"),
                SkippedSample(name: "x.tar/c.jpg", reason: "c.cls is no label"),
            ])
        var none = TarWriter()
        none.add("a.jpg", [1])
        let bare = try folder.write(none.finished, to: "y.tar")
        #expect(
            message { _ = try Dataset.open(bare) }.contains("found pictures, as y.tar/a.jpg, alone")
        )
    }

    @Test(
        "take the first of members with one name in a row, guess no label, and name each sample once"
    )
    func repeated() throws {
        let folder = try DataFolder()
        var tar = TarWriter()
        for (name, data) in [
            ("a.jpg", [1]), ("a.JPG", [2]), ("a.cls", [0x30]), ("b.jpg", [3]), ("b.cls", [0x30]),
            ("b.cls", [0x31]), ("c.jpg", [4]), ("c.png", [5]), ("c.cls", [0x31]), ("a.jpg", [6]),
            ("a.cls", [0x31]),
        ] as [(String, [UInt8])] { tar.add(name, data) }
        let data = try Dataset.open(try folder.write(tar.finished, to: "x.tar"))
        #expect(data.samples.map { $0.name } == ["x.tar/a.jpg", "x.tar/c.jpg", "x.tar/a.jpg#3"])
        #expect(data.samples.map { $0.label } == [0, 1, 1])
        #expect(try data.bytes(0) == [1] && data.bytes(1) == [4] && data.bytes(2) == [6])
        #expect(
            data.leftOut == [
                SkippedSample(
                    name: "x.tar/a.JPG",
                    reason: "it comes twice in one sample, and the first is taken"),
                SkippedSample(name: "x.tar/b.jpg", reason: "b.cls comes twice"),
            ])
    }

    @Test("pass over links and folders that give a size, as they have no data")
    func emptyKinds() throws {
        let folder = try DataFolder()
        var tar = TarWriter()
        for kind in ["1", "2", "3", "4", "5", "6"] as [Character] {
            tar.add("x\(kind)", [], kind: kind, size: Array("00000001000\0".utf8))
        }
        tar.add("a.jpg", [1])
        tar.add("a.cls", [0x30])
        let data = try Dataset.open(try folder.write(tar.finished, to: "x.tar"))
        #expect(data.samples.map { $0.name } == ["x.tar/a.jpg"])
    }

    @Test("read extended headers, long names and sizes, and global ones")
    func extended() throws {
        let folder = try DataFolder()
        var tar = TarWriter()
        tar.addExtended(["comment": "all"], kind: "g")
        tar.addExtended(["path": "pax/å.jpg", "mtime": "1.5"])
        tar.add("short", [1, 2])
        tar.add("pax/å.cls", [0x31])
        tar.add("././@LongLink", Array("gnu/long.jpg\0".utf8), kind: "L")
        tar.add("short", [3], size: [0x80] + [UInt8](repeating: 0, count: 10) + [1])
        tar.add("long.cls", [0x30], prefix: "gnu")
        tar.add("folder", [], kind: "5")
        tar.add("gnu/long.jpg", [], kind: "2")
        let data = try Dataset.open(try folder.write(tar.finished, to: "x.tar"))
        #expect(data.samples.map { $0.name } == ["x.tar/pax/å.jpg", "x.tar/gnu/long.jpg"])
        #expect(try data.bytes(0) == [1, 2] && data.bytes(1) == [3])
    }

    @Test("refuse archives that lie")
    func lies() throws {
        let folder = try DataFolder()
        func failure(_ name: String, _ change: (inout TarWriter) -> Void) throws -> String {
            var tar = TarWriter()
            tar.add("a.jpg", [1])
            tar.add("a.cls", [0x31])
            change(&tar)
            let path = try folder.write(tar.finished, to: "\(name).tar")
            return message { _ = try Dataset.open(path) }
        }
        #expect(
            try failure("sum") { $0.add("b", [], breaksChecksum: true) }.contains(
                "its checksum differs"))
        #expect(
            try failure("cut") { $0.add("b", [1], size: Array("77777777777\0".utf8)) }
                .contains("cut short: expected 8589934591 bytes"))
        #expect(
            try failure("huge") {
                $0.add("b", [], size: [0x80] + [UInt8](repeating: 0xFF, count: 11))
            }.contains("damaged or cut short"))
        #expect(
            try failure("octal") { $0.add("b", [], size: Array("12x45678901\0".utf8)) }
                .contains("damaged or cut short"))
        #expect(
            try failure("pax") { $0.add("x", Array("999 path=a\n".utf8), kind: "x") }
                .contains("extended header at byte"))
        #expect(
            try failure("pax size") { $0.addExtended(["size": "-5"]) }
                .contains("a size that is no number"))
    }

    @Test("refuse lengths that are damaged, and leave damaged records to their reading")
    func damagedRecords() throws {
        let folder = try DataFolder()
        let messages = try (0..<3).map { number in
            ExampleWriter.picture(
                try DrawnPictures.jpeg(number), label: 1, text: "c", file: "p\(number).jpg")
        }
        let file = ExampleWriter.records(messages)
        var damaged = file
        // A pixel byte near the end of the second record's data.
        damaged[28 + messages[0].count + messages[1].count - 3] ^= 1
        let data = try Dataset.open(try folder.write(damaged, to: "a.tfrecord"))
        #expect(data.samples.count == 3)
        #expect(code { _ = try data.bytes(1) } == .badSample)
        #expect(try data.bytes(2) == DrawnPictures.jpeg(2))

        damaged = file
        damaged[2] ^= 1
        let path = try folder.write(damaged, to: "b.tfrecord")
        #expect(message { _ = try Dataset.open(path) }.contains("found bytes of another kind"))
        damaged = file
        damaged[12 + messages[0].count + 4] ^= 1
        let second = try folder.write(damaged, to: "c.tfrecord")
        #expect(message { _ = try Dataset.open(second) }.contains("the length of record 1"))
        let cut = try folder.write(Array(file.dropLast(2)), to: "d.tfrecord")
        #expect(message { _ = try Dataset.open(cut) }.contains("record 2 at byte"))
    }

    @Test("believe no label of a damaged record that would add a class or end reading")
    func damagedLabels() throws {
        let folder = try DataFolder()
        let messages = [1, 1, 2, 3].enumerated().map { number, label in
            ExampleWriter.picture([9], label: label, text: "c\(label)", file: "\(number)")
        }
        for (written, changed) in [(3, 0), (3, 9)] as [(UInt8, UInt8)] {
            var file = ExampleWriter.records(messages)
            let start = messages[0..<3].reduce(12) { $0 + $1.count + 16 }
            // The label follows its feature's name: two messages, their lengths, the packed number.
            let name = Array("image/class/label".utf8)
            let found = (start..<file.count - name.count).first { place in
                Array(file[place..<place + name.count]) == name
            }
            let end = try #require(found) + name.count
            let digit = (end..<end + 12).last { file[$0] == written }
            let number = try #require(digit)
            file[number] = changed
            let data = try Dataset.open(try folder.write(file, to: "a.tfrecord"))
            #expect(data.samples.map { $0.label } == [0, 0, 1])
            #expect(data.classNames == ["c1", "c2"])
            #expect(
                data.leftOut == [
                    SkippedSample(
                        name: "a.tfrecord/record 3",
                        reason: "the record is damaged: its checksum differs")
                ])
        }
    }

    @Test("count classes from 1, or from 0 where that is asked for")
    func labels() throws {
        let folder = try DataFolder()
        let messages = [0, 2].map { label in
            ExampleWriter.example(
                ExampleWriter.feature("image/encoded", bytes: [1]),
                ExampleWriter.feature("image/class/label", integer: label, isPacked: label == 0))
        }
        let path = try folder.write(ExampleWriter.records(messages), to: "a.tfrecords")
        #expect(
            message { _ = try Dataset.open(path) }.contains("record 0 has the label 0"))
        let data = try Dataset.open(path, options: DatasetOptions(firstRecordLabel: 0))
        #expect(data.samples.map { $0.label } == [0, 2])
        #expect(data.samples[0].name == "a.tfrecords/record 0")
        #expect(data.classNames == ["class 0", "class 1", "class 2"])
    }

    @Test("leave out records that lack a picture or a label")
    func incomplete() throws {
        let folder = try DataFolder()
        let messages = [
            ExampleWriter.picture([1], label: 1, text: "a", file: "same"),
            ExampleWriter.example(ExampleWriter.feature("image/encoded", bytes: [1])),
            ExampleWriter.example(ExampleWriter.feature("image/class/label", integer: 1)),
            [0xFF, 0xFF, 0xFF], [],
            ExampleWriter.picture([2], label: 1, text: "a", file: "same"),
        ]
        let data = try Dataset.open(
            try folder.write(ExampleWriter.records(messages), to: "a.tfrecord"))
        #expect(data.samples.map { $0.name } == ["a.tfrecord/same", "a.tfrecord/same#5"])
        #expect(
            data.leftOut.map { $0.reason } == [
                "the record lacks image/class/label", "the record lacks image/encoded",
                "the record is no tf.Example", "the record lacks image/encoded",
            ])
    }
}
