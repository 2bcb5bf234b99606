import Execution
import Graph
import Native
import Tensors

extension Lowering {
    /// Adds the calls of one node.
    mutating func lower(_ node: Node, at index: Int) throws {
        switch node.operation {
        case .input: break
        // Parameters are taken where they are read.
        case .parameter: break
        case .convolution(let convolution):
            try lowerConvolution(convolution, node, at: index)
        case .dense: try lowerDense(node, at: index)
        case .normalizeImage(let mean, let deviation, _):
            try lowerPixels(node, mean: mean, deviation: deviation, at: index)
        case .batchNormalization(let epsilon):
            try lowerBatchNormalization(node, epsilon: epsilon, at: index)
        case .relu:
            let input = try place(node.operands[0])
            let out = try takeOver(node.operands[0], by: index) ?? allocate(index)
            try program.relu(
                count: elementCount(index), element: out.element, input: input.operand,
                out: out.operand, label: label(index))
        case .add:
            let (left, right) = (try place(node.operands[0]), try place(node.operands[1]))
            let out = try allocate(index)
            try program.sum(
                count: elementCount(index), element: out.element, input: left.operand,
                second: right.operand, out: out.operand, label: label(index))
        case .maxPool(let window): try lowerMaxPool(node, window, at: index)
        case .globalAveragePool:
            let input = try place(node.operands[0])
            let shape = shape(node.operands[0].index)
            let out = try allocate(index)
            try program.average(
                images: shape[0], pixels: shape[2] * shape[3], channels: shape[1],
                element: out.element, input: input.operand, out: out.operand, label: label(index))
        case .softmax:
            let input = try place(node.operands[0])
            let shape = shape(index)
            let out = try allocate(index)
            try program.softmax(
                rows: shape.dropLast().reduce(1, *), count: shape.last ?? 1,
                element: input.element, input: input.operand, out: out.operand,
                label: label(index))
        case .cast:
            let input = try place(node.operands[0])
            let out = try allocate(index)
            try program.cast(
                count: elementCount(index), from: input.element, to: out.element,
                input: input.operand, out: out.operand, label: label(index))
        case .state, .constant, .batchMoments, .normalizeBatch, .normalizationSums,
            .normalizeBatchGradient, .batchNormalizationGradient, .reluGradient,
            .convolutionInputGradient, .convolutionFilterGradient, .maxPoolIndices,
            .maxPoolGradient, .globalAveragePoolGradient, .denseInputGradient,
            .denseWeightGradient, .channelSums, .crossEntropy, .crossEntropyGradient,
            .correctCount, .row, .stack, .multiply, .reciprocal, .squaredNorm, .isFinite,
            .select, .movingAverage, .clipFactor, .trustRatio, .velocityUpdate, .weightUpdate,
            .lossScaleUpdate:
            throw ExecutionError(
                .unsupported,
                "\(label(index)): \(node.operation.name) is part of training steps; use compileUpdate"
            )
        case .replicaMean, .replicaMoments:
            throw ExecutionError(
                .unsupported, "\(label(index)): expected a graph without means over replicas")
        }
    }

    private mutating func lowerMaxPool(_ node: Node, _ window: Window, at index: Int) throws {
        let input = try place(node.operands[0])
        let (from, to) = (shape(node.operands[0].index), shape(index))
        let out = try allocate(index)
        try program.maxPool(
            PoolingKernel(
                images: from[0], inHeight: from[2], inWidth: from[3], outHeight: to[2],
                outWidth: to[3], channels: from[1], windowHeight: window.size.height,
                windowWidth: window.size.width, strideHeight: window.stride.height,
                strideWidth: window.stride.width, padTop: window.padding.top,
                padLeft: window.padding.left, element: out.element),
            input: input.operand, out: out.operand, label: label(index))
    }

    private mutating func lowerBatchNormalization(
        _ node: Node, epsilon: Double, at index: Int
    ) throws {
        let input = try place(node.operands[0])
        let shape = shape(index)
        var statistics: [[Float]] = []
        for operand in node.operands.dropFirst() {
            let memory = try parameter(operand)
            let span = memory.span(of: Float.self)
            statistics.append(span.indices.map { span[$0] })
        }
        var scale: [Float] = []
        var shift: [Float] = []
        for channel in 0..<shape[1] {
            let factor =
                Double(statistics[0][channel])
                / (Double(statistics[3][channel]) + epsilon).squareRoot()
            scale.append(Float(factor))
            shift.append(
                Float(Double(statistics[1][channel]) - Double(statistics[2][channel]) * factor))
        }
        let out = try takeOver(node.operands[0], by: index) ?? allocate(index)
        try program.scaleShift(
            pixels: shape[0] * shape[2] * shape[3], channels: shape[1], element: out.element,
            scale: Memory(copying: scale), shift: Memory(copying: shift), input: input.operand,
            out: out.operand, label: label(index))
    }

    // MARK: Pixels

    /// Convolutions that alone read normalised pixels of few channels: their input is padded in memory, so that
    /// a whole filter row is one contiguous tap.
    func findFoldedReaders() -> [Int: Int] {
        var readers: [Int: [Int]] = [:]
        for (index, node) in graph.nodes.enumerated() {
            for operand in node.operands { readers[operand.index, default: []].append(index) }
        }
        var folded: [Int: Int] = [:]
        for (index, node) in graph.nodes.enumerated() {
            guard case .normalizeImage(let mean, _, let type) = node.operation, mean.count <= 4,
                let reader = readers[index], reader.count == 1, let first = reader.first,
                case .convolution = graph.nodes[first].operation,
                graph.nodes[first].operands.first == Value(index: index),
                !graph.outputs.contains(where: { $0.value.index == index }),
                backend.usesOwnConvolutions(bfloat16: type == .bfloat16)
            else { continue }
            folded[index] = first
        }
        return folded
    }

    private mutating func lowerPixels(
        _ node: Node, mean: [Double], deviation: [Double], at index: Int
    ) throws {
        let input = try place(node.operands[0])
        let shape = shape(index)
        let element = try element(index)
        var padding = Padding(0)
        var width = shape[3]
        if let reader = foldedReaders[index],
            case .convolution(let convolution) = graph.nodes[reader].operation
        {
            padding = convolution.padding
            width += padding.left + padding.right
        }
        // One element more: a folded row of odd length is read in pairs.
        let count = shape[0] * shape[1] * shape[2] * width
        let out = try allocate(index, byteCount: (count + 1) * element.byteCount)
        try program.lookUp(
            table: PixelTable.memory(mean: mean, deviation: deviation, element: element),
            element: element, rows: shape[0] * shape[2], width: shape[3], channels: shape[1],
            padLeft: padding.left, padRight: padding.right, input: input.operand,
            out: out.operand, label: label(index))
    }
}
