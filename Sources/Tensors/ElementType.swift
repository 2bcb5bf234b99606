/// What one element of a tensor is.
public enum ElementType: String, Sendable, Hashable, CaseIterable {
    /// 64-bit IEEE 754.
    case float64
    /// 32-bit IEEE 754.
    case float32
    /// The upper half of a float32: 8 exponent and 7 mantissa bits.
    case bfloat16
    /// 16-bit IEEE 754.
    case float16
    /// Signed 64-bit integer.
    case int64
    /// Signed 32-bit integer.
    case int32
    /// Signed 16-bit integer.
    case int16
    /// Signed 8-bit integer.
    case int8
    /// Unsigned 8-bit integer.
    case uint8
    /// One byte, 0 or 1.
    case bool

    /// Bytes an element takes.
    public var byteCount: Int {
        switch self {
        case .float64, .int64: 8
        case .float32, .int32: 4
        case .bfloat16, .float16, .int16: 2
        case .int8, .uint8, .bool: 1
        }
    }

    /// Whether the type holds real numbers.
    public var isFloatingPoint: Bool {
        switch self {
        case .float64, .float32, .bfloat16, .float16: true
        default: false
        }
    }
}
