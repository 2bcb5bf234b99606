import Foundation
import Images
import Native
import Testing

/// The files that `Scripts/fixtures/images.py` wrote.
enum Fixtures {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Fixtures")

    static func path(_ name: String) -> String {
        folder.appending(path: "pictures").appending(path: name).path()
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: URL(filePath: path(name))))
    }

    /// The names of all pictures.
    static func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(
            atPath: folder.appending(path: "pictures").path()
        ).sorted()
    }
}

/// One line of `expected.tsv` or `shared.tsv`: what Pillow and torchvision make of a file.
struct Expectation: Sendable, CustomTestStringConvertible {
    let name: String
    let width: Int
    let height: Int
    let checksum: UInt32
    let orientation: Int
    let resize: Int
    let crop: Int
    let cropChecksum: UInt32
    let plain: (width: Int, height: Int, checksum: UInt32)?
    let samples: [UInt8]

    var testDescription: String { name }

    static func read(_ table: String) throws -> [Expectation] {
        let text = try String(
            contentsOf: Fixtures.folder.appending(path: table), encoding: .utf8)
        return try text.split(separator: "\n").map { line in
            var fields = line.split(separator: "\t")[...]
            func next() throws -> Substring {
                guard let field = fields.popFirst() else { throw BadTable(line: String(line)) }
                return field
            }
            func number<Value: FixedWidthInteger>(_ radix: Int = 10) throws -> Value {
                guard let value = Value(try next(), radix: radix) else {
                    throw BadTable(line: String(line))
                }
                return value
            }
            return Expectation(
                name: String(try next()), width: try number(), height: try number(),
                checksum: try number(16), orientation: try number(), resize: try number(),
                crop: try number(), cropChecksum: try number(16),
                plain: fields.count > 1 ? (try number(), try number(), try number(16)) : nil,
                samples: hexadecimal(try next()))
        }
    }

    private static func hexadecimal(_ text: Substring) -> [UInt8] {
        let digits = text.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map {
            UInt8(digits[$0] * 16 + digits[$0 + 1])
        }
    }

    struct BadTable: Error {
        let line: String
    }
}

/// The CRC-32 of zip and PNG.
func checksum(_ memory: Memory) -> UInt32 {
    let bytes = memory.bytes
    var value: UInt32 = ~0
    for index in bytes.indices {
        value = value >> 8 ^ checksumTable[Int((value ^ UInt32(bytes[index])) & 0xFF)]
    }
    return ~value
}

func checksum(_ bytes: [UInt8]) -> UInt32 { checksum(Memory(copying: bytes)) }

private let checksumTable: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in
        value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
    }
}

/// A generator whose numbers depend on the seed alone (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

/// The bytes of a picture.
func bytes(_ memory: Memory) -> [UInt8] {
    let span = memory.bytes
    return span.indices.map { span[$0] }
}

/// The code of the error that decoding these bytes throws; `nil` where it succeeds.
func verdict(
    _ bytes: [UInt8], limits: DecodeLimits = .commandLine, damage: DamagePolicy = .refuse
) -> ImageError.Code? {
    do throws(ImageError) {
        _ = try Image(decoding: Memory(copying: bytes), limits: limits, damage: damage)
        return nil
    } catch {
        return error.code
    }
}
