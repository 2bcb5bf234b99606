import Datasets
import Native
import Tensors
import Testing

@Suite("Broken data files")
struct MutationTests {
    /// Files per parser.
    private static let count = 10_000

    private static let families = ["tar", "TFRecord", "records", "list"]

    /// Whole files of a form.
    private static func files(_ family: String) throws -> [[UInt8]] {
        switch family {
        case "tar":
            var tar = TarWriter()
            tar.addExtended(["path": "a.jpg"])
            tar.add("x", [1, 2, 3])
            tar.add("a.cls", [0x31])
            tar.add("././@LongLink", Array("b.jpg\0".utf8), kind: "L")
            tar.add("x", [4], size: [0x80] + [UInt8](repeating: 0, count: 10) + [1])
            tar.add("b.cls", Array("2".utf8))
            return [tar.finished, tar.bytes]
        case "TFRecord":
            let messages = (1...3).map { number in
                ExampleWriter.picture(
                    [UInt8(number)], label: number, text: "class", file: "\(number).jpg")
            }
            return [ExampleWriter.records(messages), ExampleWriter.records([messages[0]])]
        case "records":
            let folder = try DataFolder()
            let output = folder.path + "/x.records"
            _ = try DatasetPacker(workers: 1).pack("shapes:train=3,val=2,size=8", to: output)
            return [bytesOf(try Memory(reading: output))]
        default:
            return [
                "file,index,label,split\na.jpg,1,\"x, \"\"y\"\"\",train\nb/c.jpg,0,z,val\n",
                "a.jpg\tx\r\nb.jpg\ty\r\n", "a.jpg;3\nb.jpg;2\n",
            ].map { Array($0.utf8) }
        }
    }

    @Test("throw, whatever is broken", arguments: families)
    func broken(family: String) throws {
        let files = try Self.files(family)
        var random = RandomGenerator(seed: 2026)
        var readCount = 0
        for file in files {
            for length in 0..<min(512, file.count) where read(Array(file.prefix(length)), family) {
                readCount += 1
            }
        }
        for index in 0..<Self.count {
            var mutated = mutate(files[index % files.count], &random)
            // Half of them with right sums, so that what lies behind them is reached.
            if index / files.count % 2 == 0 { mutated = mended(mutated, family) }
            if read(mutated, family) { readCount += 1 }
        }
        // Some changes hit padding or pictures; a reader that refused everything would prove nothing.
        #expect(readCount > 0)
        #expect(readCount < Self.count)
    }

    /// Reads a file and everything in it; whether that succeeded.
    private func read(_ bytes: [UInt8], _ family: String) -> Bool {
        let memory = Memory(copying: bytes)
        guard let data = try? DataBytes.open(memory, as: family) else { return false }
        var isWhole = true
        for position in data.samples.indices where family != "list" {
            if (try? data.source.content(of: data.samples[position])) == nil { isWhole = false }
            if data.source.byteCount(of: data.samples[position]) == nil { isWhole = false }
        }
        return isWhole
    }

    /// Flips bits, cuts, repeats, or writes extreme numbers where lengths may stand.
    private func mutate(_ file: [UInt8], _ random: inout RandomGenerator) -> [UInt8] {
        var bytes = file
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 3:
                let extremes: [UInt64] = [0, 1, 0x7F, 0x7FFF_FFFF, 0xFFFF_FFFF, 1 << 63, .max]
                let extreme = lowestFirst(extremes.randomElement(using: &random) ?? 0)
                let width = [1, 2, 4, 8].randomElement(using: &random) ?? 8
                for index in 0..<min(width, bytes.count - place) {
                    bytes[place + index] = extreme[index]
                }
            case 4:
                let end = min(bytes.count, place + Int.random(in: 1...16, using: &random))
                bytes.removeSubrange(place..<end)
            default:
                let end = min(bytes.count, place + Int.random(in: 1...16, using: &random))
                bytes.insert(contentsOf: bytes[place..<end], at: place)
            }
        }
        return bytes
    }

    /// The file with right sums.
    private func mended(_ file: [UInt8], _ family: String) -> [UInt8] {
        switch family {
        case "tar": mendedTar(file)
        case "TFRecord": mendedTFRecord(file)
        case "records": mendedRecords(file)
        default: file
        }
    }

    private func mendedTar(_ file: [UInt8]) -> [UInt8] {
        var bytes = file
        var position = 0
        while position + 512 <= bytes.count {
            var sum = 8 * 0x20
            for index in 0..<512 where !(148..<156).contains(index) {
                sum += Int(bytes[position + index])
            }
            let digits = String(sum, radix: 8)
            let text = String(repeating: "0", count: max(0, 6 - digits.count)) + digits + "\0 "
            for (index, byte) in text.utf8.enumerated() { bytes[position + 148 + index] = byte }
            var size = 0
            for index in 124..<136 {
                let byte = bytes[position + index]
                guard (0x30...0x37).contains(byte) else { break }
                size = size * 8 + Int(byte - 0x30)
            }
            guard size < 1 << 20 else { break }
            position += 512 + (size + 511) / 512 * 512
        }
        return bytes
    }

    private func mendedTFRecord(_ file: [UInt8]) -> [UInt8] {
        var bytes = file
        var position = 0
        while position + 12 <= bytes.count {
            let length = number(bytes, position)
            let sum = maskedCRC32C(bytes.span.extracting(position..<position + 8))
            put(sum, &bytes, position + 8)
            guard length >= 0, length < 1 << 20 else { break }
            let end = position + 12 + length
            if end + 4 <= bytes.count {
                let sum = maskedCRC32C(bytes.span.extracting(position + 12..<end))
                put(sum, &bytes, end)
            }
            position = end + 4
        }
        return bytes
    }

    /// The sums of texts, index and end, and of the pictures; see `RecordFormat`.
    private func mendedRecords(_ file: [UInt8]) -> [UInt8] {
        var bytes = file
        let end = bytes.count - 80
        guard end >= 16 else { return bytes }
        func range(_ place: Int, _ limit: Int) -> Range<Int>? {
            let (start, count) = (number(bytes, place), number(bytes, place + 8))
            guard start >= 0, count >= 0, start <= limit, count <= limit - start else { return nil }
            return start..<start + count
        }
        if let index = range(end + 16, end) {
            for entry in stride(from: index.lowerBound, to: index.upperBound - 47, by: 48) {
                if let picture = range(entry, end) {
                    let sum = crc32c(bytes.span.extracting(picture))
                    put(sum, &bytes, entry + 32)
                }
            }
        }
        for (place, target) in [(end, end + 56), (end + 16, end + 60)] {
            if let section = range(place, end) {
                let sum = crc32c(bytes.span.extracting(section))
                put(sum, &bytes, target)
            }
        }
        let head = crc32c(bytes.span.extracting(0..<16))
        let sum = crc32c(bytes.span.extracting(end..<end + 64), continuing: head)
        put(sum, &bytes, end + 64)
        return bytes
    }

    private func number(_ bytes: [UInt8], _ place: Int) -> Int {
        (0..<8).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
    }

    private func put(_ sum: UInt32, _ bytes: inout [UInt8], _ place: Int) {
        for (index, byte) in lowestFirst(sum).enumerated() { bytes[place + index] = byte }
    }
}
