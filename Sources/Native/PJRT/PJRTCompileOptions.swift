/// How a program is compiled.
public struct PJRTCompileOptions: Sendable, Hashable {
    /// On how many devices the program runs at the same time, each with arguments of its own; the client's first ones.
    public var replicas: Int
    /// XLA's flags by name, as in `xla_gpu_autotune_level`.
    ///
    /// A flag that the plugin does not know fails the compilation with "No such compile option".
    public var flags: [String: PJRTValue]

    /// Options for a program on so many devices.
    public init(replicas: Int = 1, flags: [String: PJRTValue] = [:]) {
        self.replicas = replicas
        self.flags = flags
    }

    /// XLA's `CompileOptionsProto`; never empty, since plugins end the process over an empty one.
    ///
    /// Source: `xla/pjrt/proto/compile_options.proto`: field 3 has the device (1; -1 leaves the choice to the client),
    /// replicas (4) and partitions (5), field 7 the flags, each a name (1) and a value (2) of one of four kinds.
    public var serialized: [UInt8] {
        var build = ProtocolBuffer()
        build.add(1, varint: UInt64(bitPattern: -1))
        build.add(4, varint: UInt64(bitPattern: Int64(replicas)))
        build.add(5, varint: 1)
        var options = ProtocolBuffer()
        options.add(3, build.bytes)
        for (name, value) in flags.sorted(by: { $0.key < $1.key }) {
            var entry = ProtocolBuffer()
            entry.add(1, Array(name.utf8))
            entry.add(2, Self.serialized(value))
            options.add(7, entry.bytes)
        }
        return options.bytes
    }

    /// Numbers go as text with commas between, which is how flags hold lists.
    private static func serialized(_ value: PJRTValue) -> [UInt8] {
        var buffer = ProtocolBuffer()
        switch value {
        case .text(let text): buffer.add(1, Array(text.utf8))
        case .numbers(let numbers):
            buffer.add(1, Array(numbers.map { "\($0)" }.joined(separator: ",").utf8))
        case .flag(let flag): buffer.add(2, varint: flag ? 1 : 0)
        case .number(let number): buffer.add(3, varint: UInt64(bitPattern: number))
        case .real(let real): buffer.add(4, double: Double(real))
        }
        return buffer.bytes
    }
}

/// Bytes in the wire format of protocol buffers.
private struct ProtocolBuffer {
    var bytes: [UInt8] = []

    mutating func add(_ field: UInt64, varint value: UInt64) {
        append(field << 3)
        append(value)
    }

    mutating func add(_ field: UInt64, double value: Double) {
        append(field << 3 | 1)
        for shift in stride(from: 0, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(shift)))
        }
    }

    mutating func add(_ field: UInt64, _ content: [UInt8]) {
        append(field << 3 | 2)
        append(UInt64(content.count))
        bytes += content
    }

    /// Seven bits a byte, the lowest first.
    private mutating func append(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
