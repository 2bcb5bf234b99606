import Native

extension HostTensor {
    /// A float32 tensor whose elements the caller writes, into fresh zero-filled memory, without a copy.
    ///
    /// - Parameters:
    ///   - shape: the extents.
    ///   - write: fills the elements, given in row-major order.
    public init(shape: Shape, writing write: (inout MutableSpan<Float>) -> Void) {
        var memory = MutableMemory(byteCount: shape.elementCount * MemoryLayout<Float>.stride)
        var elements = memory.mutableSpan(of: Float.self)
        write(&elements)
        self.init(trusted: .float32, shape, memory.finish())
    }

    /// Multiplies each slice along the first axis by a number of its own.
    ///
    /// Precision: each product is computed in float64 and rounded once; a float64 tensor stays one, any other
    /// becomes float32.
    ///
    /// - Parameter factors: one number for each index of the first axis.
    /// - Precondition: there are as many factors, and at least one axis.
    public func scaled(alongFirstAxisBy factors: [Double]) -> HostTensor {
        Self.scaled([self], alongFirstAxisBy: [factors])[0]
    }

    /// Multiplies the slices of many tensors, each as `scaled(alongFirstAxisBy:)` does.
    ///
    /// The float32 results share one block of memory: of large pages where the system has them, whose first use
    /// costs a fraction of what many small blocks cost.
    ///
    /// - Precondition: as for one tensor, and there is a list of factors for each.
    public static func scaled(
        _ tensors: [HostTensor], alongFirstAxisBy factors: [[Double]]
    ) -> [HostTensor] {
        let starts = tensors.reduce(into: [0]) { starts, tensor in
            // Each result starts on a cache line.
            starts.append(starts[starts.count - 1] + (tensor.shape.elementCount + 15) / 16 * 16)
        }
        let block = HostTensor(shape: [starts[tensors.count]]) { target in
            for (index, tensor) in tensors.enumerated() where tensor.elementType != .float64 {
                tensor.scale(by: factors[index], into: &target, at: starts[index])
            }
        }
        return tensors.enumerated().map { index, tensor in
            if tensor.elementType == .float64 { return tensor.scaledWide(by: factors[index]) }
            guard
                let memory = block.memory.slice(
                    offset: starts[index] * 4, byteCount: tensor.shape.elementCount * 4)
            else { preconditionFailure("the block has room for every tensor") }
            return HostTensor(trusted: .float32, tensor.shape, memory)
        }
    }

    private func scale(
        by factors: [Double], into target: inout MutableSpan<Float>, at start: Int
    ) {
        precondition(shape.rank > 0 && factors.count == shape[0], "one factor a slice")
        guard elementType == .float32, memory.isAligned(for: Float.self) else {
            HostTensor(floats(), shape: shape).scale(by: factors, into: &target, at: start)
            return
        }
        let slice = factors.isEmpty ? 0 : shape.elementCount / factors.count
        let source = memory.span(of: Float.self)
        for (row, factor) in factors.enumerated() {
            for index in row * slice..<(row + 1) * slice {
                target[start + index] = Float(Double(source[index]) * factor)
            }
        }
    }

    private func scaledWide(by factors: [Double]) -> HostTensor {
        precondition(shape.rank > 0 && factors.count == shape[0], "one factor a slice")
        let slice = factors.isEmpty ? 0 : shape.elementCount / factors.count
        var values = elements(Double.self)
        for (row, factor) in factors.enumerated() {
            for index in row * slice..<(row + 1) * slice { values[index] *= factor }
        }
        return HostTensor(values, shape: shape)
    }

    /// The same numbers in another floating-point type, rounded to nearest; itself where it has that type.
    ///
    /// - Throws: `TensorError` with code `.unsupportedElementType` unless `elementType` is a floating-point one.
    public func converted(to elementType: ElementType) throws(TensorError) -> HostTensor {
        if elementType == self.elementType { return self }
        switch elementType {
        case .float64: return HostTensor(doubles(), shape: shape)
        case .float32: return HostTensor(floats(), shape: shape)
        case .bfloat16: return HostTensor(floats().map { BFloat16($0) }, shape: shape)
        case .float16:
            let bits = floats().map { Float16($0).bitPattern }
            return HostTensor(trusted: .float16, shape, Memory(copying: bits))
        default:
            throw TensorError(
                .unsupportedElementType,
                "conversion: expected a floating-point type to convert to, "
                    + "found \(elementType.rawValue)")
        }
    }
}
