import Datasets
import Images
import Native
import Testing

@Suite("Record files")
struct RecordFileTests {
    private func source(_ folder: DataFolder) throws -> String {
        for (part, count) in [("train", 4), ("val", 2)] {
            for label in ["rose", "lily, \"white\""] {
                for number in 0..<count {
                    let picture =
                        number == 1
                        ? try DrawnPictures.png(number)
                        : try DrawnPictures.jpeg(number, width: 40, height: 30)
                    try folder.write(picture, to: "data/\(part)/\(label)/\(number).jpg")
                }
            }
        }
        return folder.path + "/data"
    }

    @Test("hold what was packed: bytes, names, classes and parts")
    func roundTrip() throws {
        let folder = try DataFolder()
        let path = try source(folder)
        let output = folder.path + "/out.records"
        let report = try DatasetPacker().pack(path, to: output)
        #expect(report.sampleCount == 12 && report.resizedCount == 0 && report.bad.isEmpty)
        #expect(FileSystem.byteCount(of: output) == report.byteCount)
        let before = try DatasetSplit.open(path)
        let after = try DatasetSplit.open(output)
        for (old, new) in [
            (before.training, after.training), (before.validation, after.validation),
        ] {
            #expect(old.listing == new.listing)
            for position in old.samples.indices {
                #expect(try old.bytes(position) == new.bytes(position))
                #expect(
                    old.source.byteCount(of: old.samples[position])
                        == new.source.byteCount(of: new.samples[position]))
            }
        }
        // The same file, byte for byte, whatever the number of threads.
        let again = folder.path + "/again.records"
        _ = try DatasetPacker(workers: 1).pack(path, to: again)
        #expect(try bytesOf(Memory(reading: again)) == bytesOf(Memory(reading: output)))
        #expect(try folderContents(atPath: folder.path).count == 3)
    }

    @Test("hold smaller pictures where that is asked for")
    func smaller() throws {
        let folder = try DataFolder()
        let output = folder.path + "/out.records"
        let report = try DatasetPacker(shortSide: 15, quality: 80).pack(
            try source(folder), to: output)
        #expect(report.resizedCount == 8)
        let data = try Dataset.open(output, part: .all)
        #expect(data.notes == ["packed with short sides of at most 15 pixels, JPEG quality 80"])
        for position in data.samples.indices {
            let image = try Image(decoding: Memory(copying: try data.bytes(position)))
            let isSmall = data.samples[position].name.hasSuffix("/1.jpg")
            #expect(image.width == (isSmall ? 12 : 20) && image.height == (isSmall ? 10 : 15))
        }
    }

    @Test("hold drawn pictures to the pixel")
    func drawn() throws {
        let folder = try DataFolder()
        let output = folder.path + "/out.records"
        _ = try DatasetPacker().pack("shapes:train=20,val=10,size=16", to: output)
        let drawn = try DatasetSplit.open("shapes:train=20,val=10,size=16")
        let packed = try DatasetSplit.open(output)
        #expect(packed.training.samples.count == 20 && packed.validation.samples.count == 10)
        for position in 0..<10 {
            let sample = drawn.validation.samples[position]
            guard case .pixels(let expected) = try drawn.validation.source.content(of: sample)
            else {
                Issue.record("a drawing is pixels")
                continue
            }
            let image = try Image(decoding: Memory(copying: try packed.validation.bytes(position)))
            #expect(bytesOf(image.pixels) == bytesOf(expected.pixels))
        }
    }

    @Test("leave out bad pictures, up to a share")
    func bad() throws {
        let folder = try DataFolder()
        let path = try source(folder)
        try folder.write("no picture", to: "data/train/rose/x.jpg")
        let output = folder.path + "/out.records"
        #expect(code { _ = try DatasetPacker().pack(path, to: output) } == .tooManyBad)
        #expect(FileSystem.byteCount(of: output) == nil)
        let report = try DatasetPacker().pack(path, to: output, maximumBadShare: 0.1)
        #expect(report.bad.map { $0.name } == ["train/rose/x.jpg"])
        #expect(try Dataset.open(output, part: .all).samples.count == 12)
    }

    @Test("leave out pictures whose names are too long to be read back")
    func longNames() throws {
        let folder = try DataFolder()
        var tar = TarWriter()
        let path = String(repeating: "a", count: 4092)
        tar.addExtended(["path": path + ".jpg"])
        tar.add("x", try DrawnPictures.jpeg(1))
        tar.addExtended(["path": path + ".cls"])
        tar.add("x", [0x30])
        tar.add("b.jpg", try DrawnPictures.jpeg(2))
        tar.add("b.cls", [0x31])
        let data = try folder.write(tar.finished, to: "data/x.tar")
        let output = folder.path + "/out.records"
        let report = try DatasetPacker().pack(data, to: output, maximumBadShare: 0.5)
        let name = "x.tar/\(path).jpg"
        #expect(
            report.bad == [
                SkippedSample(
                    name: name,
                    reason: "expected a name of at most 4096 bytes, found \(name.utf8.count)")
            ])
        #expect(try Dataset.open(output, part: .all).listing == ["x.tar/b.jpg class 1"])
    }

    @Test("refuse indices whose pictures or names do not lie one after the other")
    func overlaps() throws {
        let folder = try DataFolder()
        let output = folder.path + "/out.records"
        _ = try DatasetPacker(workers: 1).pack("shapes:train=3,val=2,size=8", to: output)
        let bytes = bytesOf(try Memory(reading: output))
        let end = bytes.count - 80
        func number(_ place: Int) -> Int {
            (0..<8).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
        }
        let index = number(end + 16)
        let first = bytes[index..<index + 48]
        for (range, expected) in [(0..<0, true), (0..<16, false), (16..<28, false)] {
            // The second sample's picture, or name, is the first one's.
            var changed = bytes
            for offset in range { changed[index + 48 + offset] = first[index + offset] }
            if !range.isEmpty, range.lowerBound == 0 {
                for offset in 32..<36 { changed[index + 48 + offset] = first[index + offset] }
            }
            func put(_ sum: UInt32, _ place: Int) {
                for (offset, byte) in lowestFirst(sum).enumerated() {
                    changed[place + offset] = byte
                }
            }
            put(crc32c(Array(changed[index..<end]).span), end + 60)
            let head = crc32c(Array(changed[..<16]).span)
            put(crc32c(Array(changed[end..<end + 64]).span, continuing: head), end + 64)
            let path = try folder.write(changed, to: "changed.records")
            let found = message { _ = try Dataset.open(path, part: .all) }
            #expect(found.contains("sample 1 makes no sense") == !expected, "\(found)")
        }
    }

    @Test("are never written into the data's folder")
    func outputs() throws {
        let folder = try DataFolder()
        let path = try source(folder)
        let before = try folder.hash()
        for output in ["/data/x.records", "/data/train/rose/x.records", "/data/../data/x.records"] {
            #expect(
                code { _ = try DatasetPacker().pack(path, to: folder.path + output) }
                    == .invalidOption)
        }
        #expect(
            code { _ = try DatasetPacker().pack(path, to: folder.path + "/none/x.records") }
                == .cannotWrite)
        #expect(try folder.hash() == before)
        let output = folder.path + "/x.records"
        _ = try DatasetPacker().pack(path, to: output)
        #expect(code { _ = try DatasetPacker().pack(output, to: output) } == .invalidOption)
    }

    @Test("are never written onto or beside shards, lists and what they name")
    func outputsBesideFiles() throws {
        let folder = try DataFolder()
        for number in 0..<2 {
            var tar = TarWriter()
            tar.add("\(number).jpg", try DrawnPictures.jpeg(number))
            tar.add("\(number).cls", Array("\(number)".utf8))
            try folder.write(tar.finished, to: "shards/train-\(number).tar")
            try folder.write(try DrawnPictures.jpeg(number), to: "pictures/\(number).jpg")
            try folder.write(try DrawnPictures.jpeg(number), to: "classes/a/\(number).jpg")
        }
        try folder.write("../pictures/0.jpg,x\n../pictures/1.jpg,y\n", to: "lists/l.csv")
        try createFolder(atPath: folder.path + "/out")
        try folder.link("classes/b", to: folder.path + "/pictures")
        try folder.link("out/0.records", to: folder.path + "/shards/train-0.tar")
        try folder.link("out/1.records", to: folder.path + "/shards/none.tar")
        let shards = "/shards/train-{0,1}.tar"
        let before = try folder.hash()
        for (data, output) in [
            (shards, "/shards/train-1.tar"), (shards, "/shards/x.records"),
            (shards, "/shards/new/run"), (shards, "/shards"), (shards, "/out/0.records"),
            (shards, "/out/1.records"), ("/shards", "/shards/../shards/new/x"),
            ("/shards/train-0.tar", "/shards/train-1.tar"), ("/lists/l.csv", "/lists/l.csv"),
            ("/lists/l.csv", "/lists/x"), ("/lists/l.csv", "/pictures/0.jpg"),
            ("/lists/l.csv", "/pictures/x"), ("/classes", "/pictures/0.jpg"),
            ("/classes", "/pictures/x/y"), ("/classes", "/classes/a/x/y"),
        ] {
            let found = code {
                try Dataset.checkOutput(folder.path + output, data: folder.path + data)
            }
            #expect(found == .invalidOption, "\(data) \(output)")
        }
        #expect(
            code { _ = try DatasetPacker().pack("shapes", to: folder.path + "/none/x.records") }
                == .cannotWrite)
        for data in [shards, "/lists/l.csv", "/classes"] {
            try Dataset.checkOutput(folder.path + "/out/x", data: folder.path + data)
            try Dataset.checkOutput(folder.path + "/new/x/y", data: folder.path + data)
        }
        #expect(try folder.hash() == before)
    }

    @Test("notice damage wherever it is")
    func damage() throws {
        let folder = try DataFolder()
        let output = folder.path + "/out.records"
        _ = try DatasetPacker().pack(try source(folder), to: output)
        let bytes = bytesOf(try Memory(reading: output))
        let whole = try Dataset.open(output, part: .all)
        let pictureEnd =
            16 + (0..<12).reduce(0) { $0 + (whole.source.byteCount(of: whole.samples[$1]) ?? 0) }
        for place in stride(from: 0, to: bytes.count, by: 7) {
            var damaged = bytes
            damaged[place] ^= 0x10
            let path = try folder.write(damaged, to: "damaged.records")
            if (16..<pictureEnd).contains(place) {
                let data = try Dataset.open(path, part: .all)
                let failures = data.samples.indices.count { position in
                    code { _ = try data.bytes(position) } == .badSample
                }
                #expect(failures == 1)
            } else {
                let found = code { _ = try Dataset.open(path, part: .all) }
                // Padding behind the last sum, which nothing reads, may be anything.
                let isPadding = (bytes.count - 12..<bytes.count - 8).contains(place)
                #expect(found == (isPadding ? nil : .malformed) || found == .notRecognised)
            }
        }
        for length in [0, 8, 15, 16, 100, bytes.count - 80, bytes.count - 1] {
            let path = try folder.write(Array(bytes.prefix(length)), to: "cut.records")
            #expect(code { _ = try Dataset.open(path) } != nil)
        }
        var newer = bytes
        newer[8] = 2
        let path = try folder.write(newer, to: "newer.records")
        #expect(message { _ = try Dataset.open(path) }.contains("expected version 1, found 2"))
    }
}
