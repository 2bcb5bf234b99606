package import Graph
package import Tensors

/// A value of a StableHLO program: what the text calls it, and its type.
package struct StableHLOValue: Sendable, Hashable {
    /// As in `%12`.
    package let name: String
    /// The element type, and the extents in the order in which the program has the axes.
    package let type: TensorType

    /// The extents.
    package var shape: Shape { type.shape }
    /// What an element is; `.bool` for the results of comparisons.
    package var elementType: ElementType { type.elementType }
}

extension TensorType {
    /// As StableHLO writes it: `tensor<8x56x56x64xbf16>`.
    var stableHLO: String {
        "tensor<" + shape.dimensions.map { "\($0)x" }.joined() + elementType.stableHLO + ">"
    }
}

extension ElementType {
    /// As StableHLO writes it.
    var stableHLO: String {
        switch self {
        case .float64: "f64"
        case .float32: "f32"
        case .bfloat16: "bf16"
        case .float16: "f16"
        case .int64: "i64"
        case .int32: "i32"
        case .int16: "i16"
        case .int8: "i8"
        case .uint8: "ui8"
        case .bool: "i1"
        }
    }

    /// The nearest number of this type, as StableHLO reads it: the bits of a floating-point number, so that
    /// nothing is lost in decimals, and infinities and not-a-number are written as others are.
    ///
    /// - Parameter number: for integers a whole one, within the type.
    func literal(_ number: Double) -> String {
        switch self {
        case .float64: hexadecimal(number.bitPattern, digits: 16)
        case .float32: hexadecimal(UInt64(Float(number).bitPattern), digits: 8)
        case .bfloat16: hexadecimal(UInt64(BFloat16(Float(number)).bitPattern), digits: 4)
        case .float16: hexadecimal(UInt64(Float16(Float(number)).bitPattern), digits: 4)
        case .int64, .int32, .int16, .int8, .uint8: String(Int64(number))
        case .bool: number == 0 ? "false" : "true"
        }
    }

    /// What sums over data of this type are made in: float32, or float64 for float64.
    var sumType: ElementType { self == .float64 ? .float64 : .float32 }
}

private func hexadecimal(_ bits: UInt64, digits: Int) -> String {
    let text = String(bits, radix: 16, uppercase: true)
    return "0x" + String(repeating: "0", count: digits - text.count) + text
}
