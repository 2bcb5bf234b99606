import Tensors

/// What an element of a safetensors file is, by the name in its header.
///
/// The cases stand in the package's order, which is also the order of tensors in a file, from the end.
package enum SafetensorsElementType: String, Sendable, CaseIterable {
    case boolean = "BOOL"
    case float4 = "F4"
    case float6E2M3 = "F6_E2M3"
    case float6E3M2 = "F6_E3M2"
    case uint8 = "U8"
    case int8 = "I8"
    case float8E5M2 = "F8_E5M2"
    case float8E4M3 = "F8_E4M3"
    case float8E8M0 = "F8_E8M0"
    case float8E4M3Finite = "F8_E4M3FNUZ"
    case float8E5M2Finite = "F8_E5M2FNUZ"
    case int16 = "I16"
    case uint16 = "U16"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int32 = "I32"
    case uint32 = "U32"
    case float32 = "F32"
    case complex64 = "C64"
    case float64 = "F64"
    case int64 = "I64"
    case uint64 = "U64"

    /// Bits an element takes.
    package var bitCount: Int {
        switch self {
        case .float4: 4
        case .float6E2M3, .float6E3M2: 6
        case .boolean, .uint8, .int8, .float8E5M2, .float8E4M3, .float8E5M2Finite,
            .float8E4M3Finite, .float8E8M0:
            8
        case .int16, .uint16, .float16, .bfloat16: 16
        case .int32, .uint32, .float32: 32
        case .complex64, .float64, .int64, .uint64: 64
        }
    }

    /// The type of a tensor in memory, where there is one.
    var elementType: ElementType? {
        switch self {
        case .boolean: .bool
        case .uint8: .uint8
        case .int8: .int8
        case .int16: .int16
        case .float16: .float16
        case .bfloat16: .bfloat16
        case .int32: .int32
        case .float32: .float32
        case .float64: .float64
        case .int64: .int64
        default: nil
        }
    }

    /// The name in a file for a tensor in memory.
    init(_ type: ElementType) {
        switch type {
        case .float64: self = .float64
        case .float32: self = .float32
        case .bfloat16: self = .bfloat16
        case .float16: self = .float16
        case .int64: self = .int64
        case .int32: self = .int32
        case .int16: self = .int16
        case .int8: self = .int8
        case .uint8: self = .uint8
        case .bool: self = .boolean
        }
    }
}
