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
            else { continue }
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
