package import Execution
import Graph
package import Tensors

/// Operations by element: operands of one shape, and a result of it.
extension StableHLOBuilder {
    /// How two numbers compare; with not-a-number only `.notEqual` holds.
    package enum Comparison: String, Sendable {
        case equal = "EQ"
        case notEqual = "NE"
        case less = "LT"
        case atLeast = "GE"
        case greater = "GT"
    }

    /// The sum.
    package mutating func add(
        _ x: StableHLOValue, _ y: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        try binary("add", x, y)
    }

    /// The difference.
    package mutating func subtract(
        _ x: StableHLOValue, _ y: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        try binary("subtract", x, y)
    }

    /// The product.
    package mutating func multiply(
        _ x: StableHLOValue, _ y: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        try binary("multiply", x, y)
    }

    /// The quotient.
    package mutating func divide(
        _ x: StableHLOValue, _ y: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        try binary("divide", x, y)
    }

    /// The larger; not-a-number where either is.
    package mutating func maximum(
        _ x: StableHLOValue, _ y: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        try binary("maximum", x, y)
    }

    /// The smaller; not-a-number where either is.
    package mutating func minimum(
        _ x: StableHLOValue, _ y: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        try binary("minimum", x, y)
    }

    /// Whether both hold.
    package mutating func and(
        _ x: StableHLOValue, _ y: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        try requireBool(x, "and")
        return try binary("and", x, y)
    }

    /// Whether one holds or both do.
    package mutating func or(
        _ x: StableHLOValue, _ y: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        try requireBool(x, "or")
        return try binary("or", x, y)
    }

    /// e to the power of `x`.
    package mutating func exponential(
        _ x: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        try real("exponential", x)
    }

    /// The natural logarithm.
    package mutating func logarithm(_ x: StableHLOValue) throws(ExecutionError) -> StableHLOValue {
        try real("log", x)
    }

    /// The square root.
    package mutating func squareRoot(_ x: StableHLOValue) throws(ExecutionError) -> StableHLOValue {
        try real("sqrt", x)
    }

    /// Whether elements are neither infinite nor not-a-number.
    package mutating func isFinite(_ x: StableHLOValue) throws(ExecutionError) -> StableHLOValue {
        try require(
            x.elementType.isFloatingPoint, "is_finite", "expected real numbers, found \(x.type)")
        return add("is_finite", [x], [], TensorType(.bool, x.shape))
    }

    /// The same numbers in another type, rounded to nearest; `x` itself where it has that type.
    package mutating func convert(
        _ x: StableHLOValue, to elementType: ElementType
    ) -> StableHLOValue {
        if x.elementType == elementType { return x }
        return add("convert", [x], [], TensorType(elementType, x.shape))
    }

    /// Float32 numbers rounded to what a narrow type holds, and still float32; others as they are.
    ///
    /// Unlike conversions there and back, which a compiler may leave out where more precision does no harm.
    package mutating func rounded(
        _ x: StableHLOValue, to elementType: ElementType
    ) throws(ExecutionError) -> StableHLOValue {
        let bits: (exponent: Int, mantissa: Int)
        switch elementType {
        case .bfloat16: bits = (8, 7)
        case .float16: bits = (5, 10)
        default: return x
        }
        try require(
            x.elementType == .float32, "reduce_precision", "expected float32, found \(x.type)")
        return add(
            "reduce_precision", [x],
            ["exponent_bits = \(bits.exponent) : i32", "mantissa_bits = \(bits.mantissa) : i32"],
            x.type)
    }

    /// How the elements of two tensors compare.
    package mutating func compare(
        _ x: StableHLOValue, _ comparison: Comparison, _ y: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        try requireSame(x, y, "compare")
        return add(
            "compare", [x, y],
            ["comparison_direction = #stablehlo<comparison_direction \(comparison.rawValue)>"],
            TensorType(.bool, x.shape))
    }

    /// Elements of `x` where a condition holds, else of `y`.
    ///
    /// - Parameter condition: of the shape of both, or without axes.
    package mutating func select(
        _ condition: StableHLOValue, _ x: StableHLOValue, _ y: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        try requireBool(condition, "select")
        try require(
            condition.shape == x.shape || condition.shape.rank == 0, "select",
            "expected a condition for \(x.type), found \(condition.type)")
        try requireSame(x, y, "select")
        return add("select", [condition, x, y], [], x.type)
    }

    // MARK: Checks

    private mutating func binary(
        _ operation: String, _ x: StableHLOValue, _ y: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        try requireSame(x, y, operation)
        return add(operation, [x, y], [], x.type)
    }

    private mutating func real(
        _ operation: String, _ x: StableHLOValue
    ) throws(ExecutionError) -> StableHLOValue {
        try require(
            x.elementType.isFloatingPoint, operation, "expected real numbers, found \(x.type)")
        return add(operation, [x], [], x.type)
    }

    private func requireSame(
        _ x: StableHLOValue, _ y: StableHLOValue, _ operation: String
    ) throws(ExecutionError) {
        try require(
            x.type == y.type, operation,
            "expected operands of one type, found \(x.type) and \(y.type)")
    }

    private func requireBool(_ x: StableHLOValue, _ operation: String) throws(ExecutionError) {
        try require(x.elementType == .bool, operation, "expected a condition, found \(x.type)")
    }
}
