import ModelFormats
import Native

/// The committed files that these tests read, and where each came from is in `Scripts/fixtures`.
enum Fixtures {
    static let folder: String = {
        let support = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        return "/\(support)/Fixtures"
    }()

    /// The path of a file of weights.
    static func weights(_ name: String) -> String { "\(folder)/weights/\(name)" }

    /// A file's bytes.
    static func bytes(_ path: String) throws -> [UInt8] {
        let memory = try Memory(mapping: path)
        let span = memory.bytes
        var bytes: [UInt8] = []
        for index in span.indices { bytes.append(span[index]) }
        return bytes
    }

    /// The lines of a table, split at tabs.
    static func table(_ name: String) throws -> [[String]] {
        String(decoding: try bytes("\(folder)/\(name)"), as: UTF8.self)
            .split(separator: "\n")
            .map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) }
    }
}

/// Bytes written as numbers and texts in a row.
func bytes(_ parts: [UInt8]...) -> [UInt8] { Array(parts.joined()) }

/// A number's bytes, the lowest first.
func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    (0..<(Value.bitWidth / 8)).map { UInt8(truncatingIfNeeded: value >> (8 * Value($0))) }
}

/// The code with which reading some bytes fails, or `nil` where it does not.
func failure(
    reading bytes: [UInt8], selection: WeightFile.Selection = .default
) -> ModelFormatError.Code? {
    do throws(ModelFormatError) {
        _ = try WeightFile(
            reading: Memory(copying: bytes), name: "test.pth", selection: selection)
        return nil
    } catch {
        return error.code
    }
}

/// The SplitMix64 generator: the same numbers for the same seed, everywhere.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}
