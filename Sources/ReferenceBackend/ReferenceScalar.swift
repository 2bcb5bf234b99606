import Glibc
import Tensors

/// A number that the reference computes with.
protocol ReferenceScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable {
    /// The elements of a tensor as such numbers.
    static func values(of tensor: HostTensor) -> [Self]
    /// A tensor of such numbers.
    static func tensor(_ values: [Self], shape: Shape) -> HostTensor
    /// The nearest number of an element type.
    func rounded(to elementType: ElementType) -> Self
    /// e to the power of this number.
    var exponential: Self { get }
    /// Adds neighbours in `x`, `stride` apart and times one number, to neighbours in `sums`.
    ///
    /// The innermost loop of a convolution. Each type has its own, word for word the same: a build without
    /// optimisation does not specialise generic code, and this loop would take ten times as long.
    static func multiplyAdd(
        _ x: Span<Self>, from source: Int, stride: Int, count: Int, _ weight: Self,
        _ sums: inout [Self], to target: Int)
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
}
