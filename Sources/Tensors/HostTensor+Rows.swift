import Native

extension HostTensor {
    /// A tensor filled with one number, float32.
    public init(repeating value: Float, shape: Shape) {
        self.init(shape: shape) { target in
            for index in target.indices { target[index] = value }
        }
    }

    /// Consecutive indices of the first axis, sharing the bytes.
    ///
    /// - Precondition: there is a first axis, and the range lies within it.
    public func rows(_ range: Range<Int>) -> HostTensor {
        precondition(
            shape.rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0],
            "rows \(range) of a tensor \(shape)")
        let rowByteCount = shape[0] > 0 ? memory.byteCount / shape[0] : 0
        guard
            let part = memory.slice(
                offset: range.lowerBound * rowByteCount, byteCount: range.count * rowByteCount)
        else { preconditionFailure("rows within the tensor are bytes within it") }
        let extents = [range.count] + shape.dimensions.dropFirst()
        return HostTensor(trusted: elementType, Shape(extents), part)
    }

    /// The first elements under another shape, sharing the bytes.
    ///
    /// - Precondition: there are as many.
    public func prefix(shapedAs shape: Shape) -> HostTensor {
        guard
            let part = memory.slice(
                offset: 0, byteCount: shape.elementCount * elementType.byteCount)
        else { preconditionFailure("\(self.shape) has no \(shape.elementCount) elements") }
        return HostTensor(trusted: elementType, shape, part)
    }
}
