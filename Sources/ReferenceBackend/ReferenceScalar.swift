import Glibc
import Graph
import Tensors

/// A number that the reference computes with.
protocol ReferenceScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable {
    /// The elements of a tensor as such numbers.
    static func values(of tensor: HostTensor) -> [Self]
    /// A tensor of such numbers, in their own type.
    static func tensor(_ values: [Self], shape: Shape) -> HostTensor
    /// The nearest number of an element type.
    func rounded(to elementType: ElementType) -> Self
    /// e to the power of this number.
    var exponential: Self { get }
    /// The natural logarithm.
    var logarithm: Self { get }
    /// Adds neighbours in `x`, `stride` apart and times one number, to neighbours in `sums`.
    ///
    /// The innermost loop of a convolution. Each type has its own, word for word the same: a build without
    /// optimisation does not specialise generic code, and this loop would take ten times as long.
    static func multiplyAdd(
        _ x: Span<Self>, from source: Int, stride: Int, count: Int, _ weight: Self,
        _ sums: inout [Self], to target: Int)
    /// Adds neighbours in `x`, times one number, to numbers in `sums` that are `stride` apart.
    ///
    /// The innermost loop of a strided convolution's input gradient.
    static func multiplySpread(
        _ x: Span<Self>, from source: Int, count: Int, _ weight: Self, _ sums: inout [Self],
        to target: Int, stride: Int)
}

extension ReferenceScalar {
    /// A tensor of a type that these numbers are exact in, or are rounded to.
    ///
    /// - Throws: `TensorError` with code `.unsupportedElementType` for integers other than uint8 and int32.
    static func tensor(_ values: [Self], _ type: TensorType) throws(TensorError) -> HostTensor {
        switch type.elementType {
        case .uint8: HostTensor(values.map { UInt8($0) }, shape: type.shape)
        case .int32: HostTensor(values.map { Int32($0) }, shape: type.shape)
        default: try tensor(values, shape: type.shape).converted(to: type.elementType)
        }
    }
}

extension Float: ReferenceScalar {
    static func values(of tensor: HostTensor) -> [Float] { tensor.floats() }

    static func tensor(_ values: [Float], shape: Shape) -> HostTensor {
        HostTensor(values, shape: shape)
    }

    func rounded(to elementType: ElementType) -> Float {
        switch elementType {
        case .bfloat16: BFloat16(self).float
        case .float16: Float(Float16(self))
        default: self
        }
    }

    var exponential: Float { expf(self) }

    var logarithm: Float { logf(self) }

    static func multiplyAdd(
        _ x: Span<Float>, from source: Int, stride: Int, count: Int, _ weight: Float,
        _ sums: inout [Float], to target: Int
    ) {
        if stride == 1 {
            for index in 0..<count { sums[target + index] += weight * x[source + index] }
        } else {
            for index in 0..<count { sums[target + index] += weight * x[source + index * stride] }
        }
    }

    static func multiplySpread(
        _ x: Span<Float>, from source: Int, count: Int, _ weight: Float, _ sums: inout [Float],
        to target: Int, stride: Int
    ) {
        for index in 0..<count { sums[target + index * stride] += weight * x[source + index] }
    }
}

extension Double: ReferenceScalar {
    static func values(of tensor: HostTensor) -> [Double] { tensor.doubles() }

    static func tensor(_ values: [Double], shape: Shape) -> HostTensor {
        HostTensor(values, shape: shape)
    }

    func rounded(to elementType: ElementType) -> Double {
        switch elementType {
        case .float32: Double(Float(self))
        case .bfloat16, .float16: Double(Float(self).rounded(to: elementType))
        default: self
        }
    }

    var exponential: Double { exp(self) }

    var logarithm: Double { log(self) }

    static func multiplyAdd(
        _ x: Span<Double>, from source: Int, stride: Int, count: Int, _ weight: Double,
        _ sums: inout [Double], to target: Int
    ) {
        if stride == 1 {
            for index in 0..<count { sums[target + index] += weight * x[source + index] }
        } else {
            for index in 0..<count { sums[target + index] += weight * x[source + index * stride] }
        }
    }

    static func multiplySpread(
        _ x: Span<Double>, from source: Int, count: Int, _ weight: Double, _ sums: inout [Double],
        to target: Int, stride: Int
    ) {
        for index in 0..<count { sums[target + index * stride] += weight * x[source + index] }
    }
}
