internal import CPJRT

/// What an element of a device's array is.
public enum PJRTElementType: Sendable, Hashable, CaseIterable {
    /// One byte, 0 or 1.
    case bool
    /// Signed 8-bit integer.
    case int8
    /// Signed 16-bit integer.
    case int16
    /// Signed 32-bit integer.
    case int32
    /// Signed 64-bit integer.
    case int64
    /// Unsigned 8-bit integer.
    case uint8
    /// Unsigned 16-bit integer.
    case uint16
    /// Unsigned 32-bit integer.
    case uint32
    /// Unsigned 64-bit integer.
    case uint64
    /// 16-bit IEEE 754.
    case float16
    /// 32-bit IEEE 754.
    case float32
    /// 64-bit IEEE 754.
    case float64
    /// The upper half of a float32.
    case bfloat16

    /// Bytes an element takes.
    public var byteCount: Int {
        switch self {
        case .bool, .int8, .uint8: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .int32, .uint32, .float32: 4
        case .int64, .uint64, .float64: 8
        }
    }

    /// The type's number in PJRT.
    var number: Int32 {
        switch self {
        case .bool: Int32(CPJRT_BOOL)
        case .int8: Int32(CPJRT_INT8)
        case .int16: Int32(CPJRT_INT16)
        case .int32: Int32(CPJRT_INT32)
        case .int64: Int32(CPJRT_INT64)
        case .uint8: Int32(CPJRT_UINT8)
        case .uint16: Int32(CPJRT_UINT16)
        case .uint32: Int32(CPJRT_UINT32)
        case .uint64: Int32(CPJRT_UINT64)
        case .float16: Int32(CPJRT_FLOAT16)
        case .float32: Int32(CPJRT_FLOAT32)
        case .float64: Int32(CPJRT_FLOAT64)
        case .bfloat16: Int32(CPJRT_BFLOAT16)
        }
    }

    /// The type of a number of PJRT; `nil` for those that are not used here.
    init?(number: Int32) {
        guard let type = Self.allCases.first(where: { $0.number == number }) else { return nil }
        self = type
    }

    /// Bytes that a dense array takes; `nil` where an extent is negative or the array larger than any memory.
    func byteCount(of dimensions: [Int]) -> Int? {
        var count = byteCount
        for extent in dimensions {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard extent >= 0, !overflow else { return nil }
            count = product
        }
        return count
    }
}
