import Tensors

/// What inference checks, in words that name the operation and the operand.
extension Operation {
    func requireCount(_ operands: [TensorType], _ count: Int) throws(GraphError) {
        guard operands.count == count else {
            throw GraphError(
                .operandCountMismatch,
                "\(name): expected \(count) operands, found \(operands.count)")
        }
    }

    func requireRank(
        _ type: TensorType, _ role: String, _ rank: Int, _ axes: String
    ) throws(GraphError) {
        guard type.shape.rank == rank else {
            throw GraphError(
                .rankMismatch, "\(name): expected \(role) \(axes), found \(type.shape)")
        }
    }

    /// Data of a floating-point type, `[N, C, H, W]`.
    func requireActivations(_ type: TensorType, _ role: String) throws(GraphError) {
        try requireFloatingPoint(type, role)
        try requireRank(type, role, 4, "[N, C, H, W]")
    }

    /// Another operand's type, whole.
    func requireType(
        _ type: TensorType, _ role: String, _ expected: TensorType
    ) throws(GraphError) {
        try requireElementType(type, role, expected.elementType)
        try requireShape(type, role, expected.shape)
    }

    /// One number, without axes, of an element type.
    func requireScalar(
        _ type: TensorType, _ role: String, _ elementType: ElementType
    ) throws(GraphError) {
        guard type.shape.rank == 0 else {
            throw GraphError(
                .rankMismatch, "\(name): expected \(role) without axes, found \(type.shape)")
        }
        try requireElementType(type, role, elementType)
    }

    /// A finite attribute in a range without an upper end.
    func requireAtLeast(
        _ minimum: Double, _ number: Double, _ attribute: String
    ) throws(GraphError) {
        guard number.isFinite, number >= minimum else {
            throw GraphError(
                .invalidAttribute,
                "\(name): expected a finite \(attribute) of at least \(Int(minimum)), found \(number)"
            )
        }
    }

    /// A finite attribute above zero.
    func requireAboveZero(_ number: Double, _ attribute: String) throws(GraphError) {
        guard number.isFinite, number > 0 else {
            throw GraphError(
                .invalidAttribute,
                "\(name): expected a finite \(attribute) above 0, found \(number)")
        }
    }

    func requireFloatingPoint(_ type: TensorType, _ role: String) throws(GraphError) {
        guard type.elementType.isFloatingPoint else {
            throw GraphError(
                .elementTypeMismatch,
                "\(name): expected \(role) of a floating-point type, "
                    + "found \(type.elementType.rawValue)")
        }
    }

    func requireElementType(
        _ type: TensorType, _ role: String, _ expected: ElementType
    ) throws(GraphError) {
        guard type.elementType == expected else {
            throw GraphError(
                .elementTypeMismatch,
                "\(name): expected \(role) of \(expected.rawValue), "
                    + "found \(type.elementType.rawValue)")
        }
    }

    func requireShape(
        _ type: TensorType, _ role: String, _ expected: Shape
    ) throws(GraphError) {
        guard type.shape == expected else {
            throw GraphError(
                .shapeMismatch, "\(name): expected \(role) \(expected), found \(type.shape)")
        }
    }

    /// One number a channel, of the data's type or, beside narrower data, of float32.
    func requireVector(
        _ type: TensorType, _ role: String, _ count: Int, beside x: TensorType
    ) throws(GraphError) {
        try requireShape(type, role, [count])
        guard
            type.elementType == x.elementType
                || (x.elementType.isNarrow && type.elementType == .float32)
        else {
            throw GraphError(
                .elementTypeMismatch,
                "\(name): expected \(role) of x's \(x.elementType.rawValue) or, where that is "
                    + "narrower, float32; found \(type.elementType.rawValue)")
        }
    }

    func type(
        _ elementType: ElementType, _ dimensions: [Int]
    ) throws(GraphError) -> TensorType {
        do {
            return TensorType(elementType, try Shape(validating: dimensions))
        } catch {
            throw GraphError(.shapeMismatch, "\(name): the result is too large: \(error.message)")
        }
    }

    /// How often a pooling window fits along both spatial axes of `[N, C, H, W]`, none of its positions being
    /// padding alone.
    func slide(_ window: Window, over shape: Shape) throws(GraphError) -> Spatial {
        let padding = window.padding
        guard max(padding.top, padding.bottom) < window.size.height,
            max(padding.left, padding.right) < window.size.width
        else {
            throw GraphError(
                .invalidAttribute,
                "\(name): expected padding smaller than the window "
                    + "\(window.size.height)x\(window.size.width), found \(padding)")
        }
        return try slide(over: shape, window.size, stride: window.stride, padding: padding)
    }

    /// How often a window fits along both spatial axes of `[N, C, H, W]`.
    func slide(
        over shape: Shape, _ window: Spatial, stride: Spatial, padding: Padding
    ) throws(GraphError) -> Spatial {
        guard stride.height >= 1, stride.width >= 1 else {
            throw GraphError(
                .invalidAttribute,
                "\(name): expected strides of at least 1, found \(stride.height)x\(stride.width)")
        }
        guard window.height >= 1, window.width >= 1 else {
            throw GraphError(
                .invalidAttribute,
                "\(name): expected a window of at least 1x1, found \(window.height)x\(window.width)"
            )
        }
        return Spatial(
            height: try positions(
                "height", shape[2], window.height, stride.height, padding.top, padding.bottom),
            width: try positions(
                "width", shape[3], window.width, stride.width, padding.left, padding.right))
    }

    private func positions(
        _ axis: String, _ extent: Int, _ window: Int, _ stride: Int, _ before: Int, _ after: Int
    ) throws(GraphError) -> Int {
        // Text may state any number; sums below this bound cannot overflow.
        let bound = 1 << 40
        guard (0...bound).contains(before), (0...bound).contains(after) else {
            throw GraphError(
                .invalidAttribute,
                "\(name): expected a padding of at least 0, found \(before) and \(after) "
                    + "along the \(axis)")
        }
        guard extent <= bound, window <= extent + before + after else {
            throw GraphError(
                .shapeMismatch,
                "\(name): expected a \(axis) of at least the window's \(window), "
                    + "found \(extent) padded by \(before) and \(after)")
        }
        return (extent + before + after - window) / stride + 1
    }
}

extension ElementType {
    /// Whether the type is a floating-point one of fewer bits than float32.
    var isNarrow: Bool { self == .bfloat16 || self == .float16 }

    /// What sums over data of this type, and vectors of one number a channel beside it, are made in: float32, or
    /// float64 for float64.
    var sumType: ElementType { self == .float64 ? .float64 : .float32 }
}
