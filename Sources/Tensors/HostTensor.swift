public import Native

/// A tensor in the machine's memory: dense, row-major over its logical axes, constant.
///
/// Copies share the bytes; a tensor of a mapped file shares the file's.
public struct HostTensor: Sendable {
    /// What an element is.
    public let elementType: ElementType
    /// The extents, outermost first.
    public let shape: Shape
    /// The elements, `shape.elementCount * elementType.byteCount` bytes in the machine's byte order.
    public let memory: Memory

    /// Gives bytes a shape.
    ///
    /// - Throws: `TensorError` with code `.sizeMismatch` where there are more or fewer bytes than that takes.
    public init(elementType: ElementType, shape: Shape, memory: Memory) throws(TensorError) {
        let (needed, overflow) = shape.elementCount.multipliedReportingOverflow(
            by: elementType.byteCount)
        guard !overflow, needed == memory.byteCount else {
            throw TensorError(
                .sizeMismatch,
                "\(elementType.rawValue) \(shape): expected \(needed) bytes, found \(memory.byteCount)"
            )
        }
        self.elementType = elementType
        self.shape = shape
        self.memory = memory
    }

    /// Gives bytes of the right number a shape.
    init(trusted elementType: ElementType, _ shape: Shape, _ memory: Memory) {
        self.elementType = elementType
        self.shape = shape
        self.memory = memory
    }

    /// A float32 tensor of values in row-major order.
    ///
    /// - Precondition: there are as many values as the shape takes.
    public init(_ values: [Float], shape: Shape) {
        self.init(elements: values, .float32, shape)
    }

    /// A float64 tensor of values in row-major order.
    ///
    /// - Precondition: there are as many values as the shape takes.
    public init(_ values: [Double], shape: Shape) {
        self.init(elements: values, .float64, shape)
    }

    /// A bfloat16 tensor of values in row-major order.
    ///
    /// - Precondition: there are as many values as the shape takes.
    public init(_ values: [BFloat16], shape: Shape) {
        self.init(elements: values, .bfloat16, shape)
    }

    /// A uint8 tensor of values in row-major order.
    ///
    /// - Precondition: there are as many values as the shape takes.
    public init(_ values: [UInt8], shape: Shape) {
        self.init(elements: values, .uint8, shape)
    }

    /// An int32 tensor of values in row-major order.
    ///
    /// - Precondition: there are as many values as the shape takes.
    public init(_ values: [Int32], shape: Shape) {
        self.init(elements: values, .int32, shape)
    }

    private init<Element: BitwiseCopyable>(
        elements: [Element], _ elementType: ElementType, _ shape: Shape
    ) {
        precondition(
            elements.count == shape.elementCount,
            "shape \(shape) takes \(shape.elementCount) values, not \(elements.count)")
        self.elementType = elementType
        self.shape = shape
        memory = Memory(copying: elements)
    }

    /// The same elements under another shape.
    ///
    /// - Throws: `TensorError` with code `.sizeMismatch` where the number of elements differs.
    public func reshaped(to shape: Shape) throws(TensorError) -> HostTensor {
        try HostTensor(elementType: elementType, shape: shape, memory: memory)
    }

    /// The elements as float32, in row-major order; integers and float64 are rounded to nearest.
    public func floats() -> [Float] {
        switch elementType {
        case .float64: return elements(Double.self).map { Float($0) }
        case .float32: return elements(Float.self)
        case .bfloat16: return elements(BFloat16.self).map(\.float)
        case .float16: return elements(UInt16.self).map(Self.float(ofHalf:))
        default: return doubles().map { Float($0) }
        }
    }

    /// The elements as float64, in row-major order; int64 beyond 2^53 is rounded.
    public func doubles() -> [Double] {
        switch elementType {
        case .float64: elements(Double.self)
        case .float32, .bfloat16, .float16: floats().map { Double($0) }
        case .int64: elements(Int64.self).map { Double($0) }
        case .int32: elements(Int32.self).map { Double($0) }
        case .int16: elements(Int16.self).map { Double($0) }
        case .int8: elements(Int8.self).map { Double($0) }
        case .uint8, .bool: elements(UInt8.self).map { Double($0) }
        }
    }

    /// The elements in row-major order, whatever the alignment of the bytes.
    ///
    /// - Precondition: `Element` is as wide as the tensor's element type.
    public func elements<Element: BitwiseCopyable>(_ type: Element.Type) -> [Element] {
        precondition(MemoryLayout<Element>.stride == elementType.byteCount)
        if memory.isAligned(for: type) {
            let span = memory.span(of: type)
            return [Element](copying: span)
        }
        let aligned = Memory(copying: memory.bytes)
        let span = aligned.span(of: type)
        return [Element](copying: span)
    }

    /// Widens an IEEE half, by its bits; exact.
    static func float(ofHalf bits: UInt16) -> Float {
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10) & 0x1F
        let mantissa = UInt32(bits & 0x3FF)
        switch exponent {
        case 0:
            let magnitude = Float(mantissa) * 0x1p-24
            return sign == 0 ? magnitude : -magnitude
        case 0x1F: return Float(bitPattern: sign | 0x7F80_0000 | mantissa << 13)
        default: return Float(bitPattern: sign | (exponent + 112) << 23 | mantissa << 13)
        }
    }
}

extension Array where Element: BitwiseCopyable {
    /// Copies a span.
    init(copying span: borrowing Span<Element>) {
        self.init()
        reserveCapacity(span.count)
        for index in span.indices { append(span[index]) }
    }
}
