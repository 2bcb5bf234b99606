import Datasets
import FuzzSupport
import Native

/// Whatever bytes a TFRecord file has, or the message in a whole one, it opens or throws, and so does each picture.
@main
struct FuzzTFRecord {
    static func main() {
        runFuzzer { bytes in
            open(bytes)
            // A record around the bytes, so that what reads messages is not hidden behind the checksums.
            let length = number(UInt64(bytes.count))
            open(
                length + number(maskedCRC32C(length.span)) + bytes
                    + number(maskedCRC32C(bytes.span)))
        }
    }

    private static func open(_ bytes: [UInt8]) {
        let memory = Memory(copying: bytes)
        guard let data = try? DataBytes.open(memory, as: "TFRecord") else { return }
        for sample in data.samples {
            guard case .encoded(let picture) = try? data.source.content(of: sample) else {
                continue
            }
            precondition(picture.byteCount <= bytes.count, "a picture beyond its file")
        }
    }

    private static func number<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
        (0..<Value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * Value($0))) }
    }
}
