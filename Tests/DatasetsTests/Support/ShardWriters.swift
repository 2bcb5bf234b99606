import Native

/// A number's bytes, the lowest first.
func lowestFirst<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    (0..<(Value.bitWidth / 8)).map { UInt8(truncatingIfNeeded: value >> (8 * Value($0))) }
}

/// Writes tar archives, correct ones and ones that lie.
struct TarWriter {
    private(set) var bytes: [UInt8] = []

    /// Adds an entry.
    mutating func add(
        _ name: String, _ data: [UInt8], kind: Character = "0", prefix: String = "",
        size: [UInt8]? = nil, breaksChecksum: Bool = false
    ) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: [UInt8], _ offset: Int) {
            for (index, byte) in text.enumerated() { header[offset + index] = byte }
        }
        put(Array(name.utf8.prefix(100)), 0)
        put(Array("0000644\0".utf8), 100)
        put(size ?? Array((octal(data.count, 11) + "\0").utf8), 124)
        put(Array("        ".utf8), 148)
        put([kind.asciiValue ?? 0], 156)
        put(Array("ustar\0".utf8) + Array("00".utf8), 257)
        put(Array(prefix.utf8), 345)
        let sum = header.reduce(0) { $0 + Int($1) } + (breaksChecksum ? 1 : 0)
        put(Array((octal(sum, 6) + "\0 ").utf8), 148)
        bytes += header + data
        bytes += [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
    }

    /// Adds an extended header.
    mutating func addExtended(_ records: [String: String], kind: Character = "x") {
        let data = records.sorted { $0.key < $1.key }.flatMap { key, value in
            let rest = " \(key)=\(value)\n".utf8.count
            var length = rest + 1
            while String(length).utf8.count + rest != length { length += 1 }
            return Array("\(length) \(key)=\(value)\n".utf8)
        }
        add("PaxHeaders/x", data, kind: kind)
    }

    /// The archive with its two empty blocks.
    var finished: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }

    private func octal(_ value: Int, _ width: Int) -> String {
        let digits = String(value, radix: 8)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// Writes `tf.Example` messages.
enum ExampleWriter {
    static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        repeat {
            bytes.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        return bytes
    }

    /// A field of bytes.
    static func field(_ number: UInt64, _ bytes: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(UInt64(bytes.count)) + bytes
    }

    static func feature(_ name: String, bytes value: [UInt8]) -> [UInt8] {
        entry(name, field(1, field(1, value)))
    }

    static func feature(_ name: String, integer: Int, isPacked: Bool = true) -> [UInt8] {
        let number = varint(UInt64(bitPattern: Int64(integer)))
        return entry(name, field(3, isPacked ? field(1, number) : varint(1 << 3) + number))
    }

    static func entry(_ name: String, _ feature: [UInt8]) -> [UInt8] {
        field(1, field(1, Array(name.utf8)) + field(2, feature))
    }

    static func example(_ features: [UInt8]...) -> [UInt8] { field(1, Array(features.joined())) }

    /// An example as ImageNet's have it.
    static func picture(
        _ bytes: [UInt8], label: Int, text: String, file: String
    ) -> [UInt8] {
        example(
            feature("image/height", integer: 10),
            feature("image/colorspace", bytes: Array("RGB".utf8)),
            feature("image/class/label", integer: label),
            feature("image/class/text", bytes: Array(text.utf8)),
            feature("image/filename", bytes: Array(file.utf8)),
            feature("image/encoded", bytes: bytes))
    }

    /// Messages as a TFRecord file.
    static func records(_ messages: [[UInt8]]) -> [UInt8] {
        var file: [UInt8] = []
        for message in messages {
            let length = lowestFirst(UInt64(message.count))
            file += length + lowestFirst(maskedCRC32C(length.span))
            file += message + lowestFirst(maskedCRC32C(message.span))
        }
        return file
    }
}
