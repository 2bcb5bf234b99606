import Datasets
import FuzzSupport
import Native

/// Whatever bytes a record file has, it opens or throws, and so does each of its pictures.
@main
struct FuzzRecords {
    static func main() {
        runFuzzer { bytes in
            open(bytes)
            open(mended(bytes))
        }
    }

    private static func open(_ bytes: [UInt8]) {
        let memory = Memory(copying: bytes)
        guard let data = try? DataBytes.open(memory, as: "records") else { return }
        for sample in data.samples {
            guard case .encoded(let picture) = try? data.source.content(of: sample) else {
                continue
            }
            precondition(picture.byteCount <= bytes.count, "a picture beyond its file")
        }
    }

    /// The file with right sums, so that what lies behind them is reached; see `RecordFormat`.
    private static func mended(_ file: [UInt8]) -> [UInt8] {
        var bytes = file
        let end = bytes.count - 80
        guard end >= 16 else { return bytes }
        func number(_ offset: Int) -> Int {
            (0..<8).reduce(0) { $0 | Int(bytes[end + offset + $1]) << (8 * $1) }
        }
        func put(_ sum: UInt32, _ offset: Int) {
            for index in 0..<4 {
                bytes[end + offset + index] = UInt8(truncatingIfNeeded: sum >> (8 * UInt32(index)))
            }
        }
        for (range, sum) in [(0, 56), (16, 60)] {
            let (start, count) = (number(range), number(range + 8))
            if start >= 0, count >= 0, start <= end, count <= end - start {
                put(crc32c(Array(bytes[start..<start + count]).span), sum)
            }
        }
        let head = crc32c(Array(bytes[..<16]).span)
        put(crc32c(Array(bytes[end..<end + 64]).span, continuing: head), 64)
        return bytes
    }
}
