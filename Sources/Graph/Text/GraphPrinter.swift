import Tensors

extension Graph: CustomStringConvertible {
    /// The text form, which `init(text:)` reads back as an equal graph.
    ///
    /// One node a line: what it is called, the operation with its operands and attributes, its type, its label.
    ///
    /// ```
    /// graph ResNet-50 {
    ///   %0 = input image : uint8[1, 224, 224, 3]
    ///   %1 = normalizeImage(%0) mean=0.485,0.456,0.406 deviation=0.229,0.224,0.225 : float32[1, 3, 224, 224]
    ///   %2 = parameter conv1.weight : float32[64, 3, 7, 7]
    ///   %3 = convolution(%1, %2) stride=2x2 padding=3,3,3,3 activation=relu : float32[1, 64, 112, 112]  # conv1
    ///   output stem = %3
    /// }
    /// ```
    ///
    /// A graph with state has lines such as `%4 = state step : float32[]` and `update step = %9`; one for several
    /// replicas begins `graph ResNet-50 replicas=8 {`. Padding is top, left, bottom, right. Numbers are printed with
    /// the fewest digits that read back exactly.
    public var description: String {
        let replicas = replicaCount == 1 ? "" : " replicas=\(replicaCount)"
        var lines = ["graph \(GraphText.name(name))\(replicas) {"]
        for (index, node) in nodes.enumerated() {
            var line = "  %\(index) = \(GraphText.expression(node)) : \(node.type)"
            if !node.label.isEmpty { line += "  # \(GraphText.label(node.label))" }
            lines.append(line)
        }
        for output in outputs {
            lines.append("  output \(GraphText.name(output.name)) = %\(output.value.index)")
        }
        for update in updates {
            lines.append("  update \(GraphText.name(update.name)) = %\(update.value.index)")
        }
        lines.append("}")
        return lines.joined(separator: "\n") + "\n"
    }
}

/// How parts of a graph are written.
enum GraphText {
    /// What an operation does, without its type.
    static func expression(_ node: Node) -> String {
        let operation = node.operation
        switch operation {
        case .input(let name), .parameter(let name), .state(let name):
            return "\(operation.name) \(Self.name(name))"
        case .constant(let number, _): return "\(operation.name) \(number)"
        default: break
        }
        var operands = node.operands.map { "%\($0.index)" }
        for (index, role) in operation.operandRoles where operands.indices.contains(index) {
            operands[index] = "\(role): \(operands[index])"
        }
        let call = "\(operation.name)(\(operands.joined(separator: ", ")))"
        return ([call] + attributes(operation)).joined(separator: " ")
    }

    /// What an operation states beside operands and type, as in `stride=2x2`.
    private static func attributes(_ operation: Operation) -> [String] {
        switch operation {
        case .convolution(let convolution):
            let activation = convolution.activation
            return attributes(convolution)
                + (activation == .none ? [] : ["activation=\(activation.rawValue)"])
        case .convolutionInputGradient(let convolution, _),
            .convolutionFilterGradient(let convolution, _):
            return attributes(convolution)
        case .maxPool(let window), .maxPoolIndices(let window), .maxPoolGradient(let window, _):
            return [
                "size=\(pair(window.size))", "stride=\(pair(window.stride))",
                "padding=\(padding(window.padding))",
            ]
        case .normalizeImage(let mean, let deviation, _):
            return ["mean=\(numbers(mean))", "deviation=\(numbers(deviation))"]
        case .batchNormalization(let epsilon), .normalizeBatch(let epsilon),
            .normalizationSums(let epsilon), .normalizeBatchGradient(let epsilon),
            .batchNormalizationGradient(let epsilon):
            return ["epsilon=\(epsilon)"]
        case .crossEntropy(let loss), .crossEntropyGradient(let loss):
            return ["smoothing=\(loss.smoothing)"]
        case .correctCount(let top): return ["top=\(top)"]
        case .row(let index): return ["index=\(index)"]
        case .clipFactor(let maximum): return ["maximum=\(maximum)"]
        case .trustRatio(let coefficient, let weightDecay, let epsilon):
            return [
                "coefficient=\(coefficient)", "weightDecay=\(weightDecay)", "epsilon=\(epsilon)",
            ]
        case .velocityUpdate(let rule), .weightUpdate(let rule):
            return [
                "convention=\(rule.convention.rawValue)", "momentum=\(rule.momentum)",
                "weightDecay=\(rule.weightDecay)", "nesterov=\(rule.nesterov)",
            ]
        case .lossScaleUpdate(let rule):
            return [
                "growth=\(rule.growth)", "backoff=\(rule.backoff)", "interval=\(rule.interval)",
            ]
        case .input, .parameter, .state, .constant, .relu, .add, .globalAveragePool, .dense,
            .softmax, .cast, .batchMoments, .reluGradient, .globalAveragePoolGradient,
            .denseInputGradient, .denseWeightGradient, .channelSums, .stack, .multiply,
            .reciprocal, .squaredNorm, .isFinite, .select, .movingAverage, .replicaMean,
            .replicaMoments:
            return []
        }
    }

    private static func attributes(_ convolution: Convolution) -> [String] {
        ["stride=\(pair(convolution.stride))", "padding=\(padding(convolution.padding))"]
    }

    /// A name as it is where it is a plain word, else in quotes.
    static func name(_ name: String) -> String {
        !name.isEmpty && name.utf8.allSatisfy(isWordByte) ? name : quoted(name)
    }

    /// A label as it is where it reads back, to the end of its line; else in quotes.
    static func label(_ label: String) -> String {
        let isPlain =
            label.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } && label.utf8.first != 0x22
            && label.utf8.first != 0x20 && label.utf8.last != 0x20
        return isPlain ? label : quoted(label)
    }

    /// Whether a byte may stand in a name without quotes: letters, digits, and `_ . - / :`.
    static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2E, 0x2D, 0x2F, 0x3A: true
        default: false
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F {
                    result += "\\u{\(String(scalar.value, radix: 16))}"
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }

    private static func pair(_ spatial: Spatial) -> String {
        "\(spatial.height)x\(spatial.width)"
    }

    private static func padding(_ padding: Padding) -> String {
        "\(padding.top),\(padding.left),\(padding.bottom),\(padding.right)"
    }

    private static func numbers(_ values: [Double]) -> String {
        values.map(\.description).joined(separator: ",")
    }
}

extension Operation {
    /// The operands that are named because they may be missing, by their places.
    fileprivate var operandRoles: [(index: Int, role: String)] {
        switch self {
        case .convolution(let convolution):
            let roles = [(convolution.biasIndex, "bias"), (convolution.residualIndex, "residual")]
            return roles.compactMap { index, role in index.map { ($0, role) } }
        case .crossEntropy(let loss), .crossEntropyGradient(let loss):
            return loss.hasWeights ? [(2, "weights")] : []
        default: return []
        }
    }
}
