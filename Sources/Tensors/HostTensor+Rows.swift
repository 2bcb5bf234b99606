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

    /// The rows of one of several replicas that share a tensor evenly, in order; the whole of one without axes, which
    /// all have.
    ///
    /// - Precondition: the first extent, if there is one, is a multiple of `count`.
    public func share(_ index: Int, of count: Int) -> HostTensor {
        guard count > 1, shape.rank > 0 else { return self }
        precondition(shape[0] % count == 0, "\(count) replicas cannot share \(shape)")
        let extent = shape[0] / count
        return rows(index * extent..<(index + 1) * extent)
    }

    /// Tensors of one type after each other along the first axis.
    ///
    /// - Precondition: there is at least one, they have a first axis, and are alike in all else.
    public init(concatenating parts: [HostTensor]) {
        guard let first = parts.first, first.shape.rank > 0 else {
            preconditionFailure("tensors with a first axis are put after each other")
        }
        var extents = first.shape.dimensions
        extents[0] = parts.reduce(0) { $0 + $1.shape[0] }
        for part in parts {
            precondition(
                part.elementType == first.elementType
                    && part.shape.dimensions.dropFirst() == first.shape.dimensions.dropFirst(),
                "\(part.shape) does not fit under \(first.shape)")
        }
        var memory = MutableMemory(byteCount: parts.reduce(0) { $0 + $1.memory.byteCount })
        var target = memory.mutableSpan(of: UInt8.self)
        var place = 0
        for part in parts {
            let bytes = part.memory.bytes
            for index in bytes.indices { target[place + index] = bytes[index] }
            place += bytes.count
        }
        self.init(trusted: first.elementType, Shape(extents), memory.finish())
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

extension HostTensor {
    /// Whether all elements are numbers: no infinities, no not-a-number; integers always are.
    public var isFinite: Bool {
        guard elementType.isFloatingPoint else { return true }
        if elementType == .float32, memory.isAligned(for: UInt32.self) {
            let bits = memory.span(of: UInt32.self)
            var isFinite = true
            // All exponent bits set: infinite, or not a number.
            for index in bits.indices where bits[index] & 0x7F80_0000 == 0x7F80_0000 {
                isFinite = false
            }
            return isFinite
        }
        return doubles().allSatisfy { $0.isFinite }
    }
}
