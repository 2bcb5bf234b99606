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
            let mutated = mutate(files[index % files.count], &random, sums: family == "TFRecord")
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
    private func mutate(_ file: [UInt8], _ random: inout RandomGenerator, sums: Bool) -> [UInt8] {
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
        return sums ? mended(bytes) : bytes
    }

    /// The file with right sums of lengths, so that what lies behind them is reached.
    private func mended(_ file: [UInt8]) -> [UInt8] {
        var bytes = file
        var position = 0
        while position + 12 <= bytes.count {
            let length = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[position + $1]) << (8 * $1) }
            let sum = lowestFirst(maskedCRC32C(bytes.span.extracting(position..<position + 8)))
            for index in 0..<4 { bytes[position + 8 + index] = sum[index] }
            guard length < 1 << 20 else { break }
            position += 16 + Int(length)
        }
        return bytes
    }
}
