import Execution
import Graph
import ReferenceBackend
import Tensors
import Testing

/// The reference, running another graph than it was given, to show that a case sees the difference.
struct MutatingBackend: Backend {
    let mutation: Mutation

    var name: String { "mutating" }
    var deviceDescription: String { "reference of another graph" }

    func compile(
        _ graph: Graph, parameters: Parameters
    ) throws(ExecutionError) -> any CompiledStep {
        try ReferenceBackend().compile(mutation.graph(graph), parameters: parameters)
    }

    func compileUpdate(
        _ graph: Graph, parameters: Parameters
    ) throws(ExecutionError) -> any CompiledUpdate {
        try ReferenceBackend().compileUpdate(mutation.graph(graph), parameters: parameters)
    }
}

/// A mistake that a back end's engineer could make, and the case that sees it.
struct Mutation: Sendable, CustomTestStringConvertible {
    let caseName: String
    let testDescription: String
    let graph: @Sendable (Graph) -> Graph

    /// A mistake in some nodes.
    init(
        _ caseName: String, _ description: String,
        _ change: @escaping @Sendable (inout Node) -> Void
    ) {
        self.init(caseName, description) { (graph: Graph) in
            let nodes = graph.nodes.map { node in
                var changed = node
                change(&changed)
                return changed
            }
            return Graph(
                name: graph.name, replicaCount: graph.replicaCount, nodes: nodes,
                outputs: graph.outputs, updates: graph.updates)
        }
    }

    /// A mistake about a whole graph.
    init(_ caseName: String, _ description: String, graph: @escaping @Sendable (Graph) -> Graph) {
        self.caseName = caseName
        testDescription = "\(description) in \(caseName)"
        self.graph = graph
    }
}

extension Mutation {
    static let all =
        convolutions + normalizations + layers + losses + optimizers + states + replicas

    private static let convolutions = ["convolutionInputGradient", "convolutionFilterGradient"]
        .flatMap { name in
            let suffix = name == "convolutionInputGradient" ? ", parameter" : ""
            return [
                Mutation(
                    "\(name) [2, 17, 8, 8] to 16, 3x3 step 2x2 padding 0,0,1,1\(suffix)",
                    "padding of the other side"
                ) { node in
                    node.changeConvolution { convolution in
                        convolution.padding = Padding(top: 1, left: 1, bottom: 0, right: 0)
                    }
                },
                Mutation(
                    "\(name) [2, 17, 8, 8] to 16, 3x3 step 2x2 padding 0,0,1,1\(suffix)",
                    "padding of the other side of rows"
                ) { node in
                    node.changeConvolution { convolution in
                        convolution.padding = Padding(top: 1, left: 0, bottom: 0, right: 1)
                    }
                },
            ]
        }

    private static let normalizations =
        [
            "normalizeBatch", "normalizationSums", "normalizeBatchGradient",
            "batchNormalizationGradient",
        ].map { name in
            Mutation("\(name) [3, 5, 9, 4]", "smaller epsilon") { node in
                switch node.operation {
                case .normalizeBatch: node.operation = .normalizeBatch(epsilon: 0.09)
                case .normalizationSums: node.operation = .normalizationSums(epsilon: 0.09)
                case .normalizeBatchGradient:
                    node.operation = .normalizeBatchGradient(epsilon: 0.09)
                case .batchNormalizationGradient:
                    node.operation = .batchNormalizationGradient(epsilon: 0.09)
                default: break
                }
            }
        } + [
            Mutation("batch norm forward and back [3, 5, 9, 4]", "old and new changed places") {
                node in
                if case .movingAverage = node.operation { node.operands.swapAt(0, 1) }
            },
            Mutation("batch norm forward and back [3, 5, 9, 4]", "the biased variance") { node in
                if case .constant(let value, let type) = node.operation, value > 1 {
                    node.operation = .constant(1, type)
                }
            },
        ]

    private static let layers =
        [
            Mutation("reluGradient [3, 5, 9, 4]", "operands that changed places") { node in
                if case .reluGradient = node.operation { node.operands.swapAt(0, 1) }
            },
            Mutation("maxPoolIndices [2, 17, 6, 6], 3x3 step 2x2", "padding of the other side") {
                node in
                guard case .maxPoolIndices(var window) = node.operation else { return }
                window.padding = Padding(top: 1, left: 1, bottom: 0, right: 0)
                node.operation = .maxPoolIndices(window)
            },
            Mutation(
                "maxPool, its indices and its gradient [2, 17, 6, 6], 3x3 step 2x2",
                "padding of the other side"
            ) { node in
                guard case .maxPoolGradient(var window, let size) = node.operation else { return }
                window.padding = Padding(top: 1, left: 1, bottom: 0, right: 0)
                node.operation = .maxPoolGradient(window, size: size)
            },
            Mutation("stack of vectors", "another order") { node in
                if case .stack = node.operation { node.operands.reverse() }
            },
            Mutation("row of a matrix, of a vector and of a tensor", "the first row") { node in
                if case .row = node.operation { node.operation = .row(index: 0) }
            },
        ]

    private static let losses =
        [
            Mutation(
                "crossEntropy and its gradient [3, 37], labels, smoothed by 0.1", "less smoothing"
            ) {
                node in
                if case .crossEntropy = node.operation {
                    node.operation = .crossEntropy(CrossEntropy(smoothing: 0.05))
                }
            },
            Mutation(
                "crossEntropy and its gradient [3, 37], labels, smoothed by 0.1",
                "less smoothing back"
            ) {
                node in
                if case .crossEntropyGradient = node.operation {
                    node.operation = .crossEntropyGradient(CrossEntropy(smoothing: 0.05))
                }
            },
            Mutation("correctCount [17, 10] top 5", "one fewer") { node in
                if case .correctCount = node.operation { node.operation = .correctCount(top: 4) }
            },
            Mutation("correctCount [17, 10] top 5 with ties", "one fewer") { node in
                if case .correctCount = node.operation { node.operation = .correctCount(top: 4) }
            },
        ]

    private static let optimizers =
        ["pyTorch", "keras"].flatMap { convention in
            ["", " nesterov"].flatMap { nesterov in
                momentumMistakes("momentum \(convention)\(nesterov) decay [10, 64]")
            }
        } + [
            Mutation("LARS", "no weight decay in the ratio") { node in
                node.changeTrustRatio { $0.weightDecay = 0 }
            },
            Mutation("LARS", "another coefficient") { node in
                node.changeTrustRatio { $0.coefficient *= 2 }
            },
            Mutation("trustRatio of norms, and where one is zero", "no epsilon") { node in
                node.changeTrustRatio { $0.epsilon = 0 }
            },
            Mutation("clipFactor above and below its maximum", "another maximum") { node in
                if case .clipFactor = node.operation { node.operation = .clipFactor(maximum: 3.9) }
            },
            Mutation("squaredNorm of one tensor and of several", "a tensor forgotten") { node in
                if case .squaredNorm = node.operation, node.operands.count > 1 {
                    node.operands.removeLast()
                }
            },
            Mutation("isFinite beside infinity", "only the first tensor") { node in
                if case .isFinite = node.operation { node.operands = [node.operands[0]] }
            },
            Mutation("select [33, 17]", "the other one") { node in
                if case .select = node.operation { node.operands.swapAt(1, 2) }
            },
            Mutation("lossScaleUpdate of 8.0, 1.0, finite 1.0", "another growth") { node in
                node.changeLossScale { $0.growth = 2 }
            },
            Mutation("lossScaleUpdate of 8.0, 1.0, finite 0.0", "another backoff") { node in
                node.changeLossScale { $0.backoff = 0.5 }
            },
            Mutation("lossScaleUpdate of 8.0, 0.0, finite 1.0", "a longer interval") { node in
                node.changeLossScale { $0.interval = 3 }
            },
        ]

    private static func momentumMistakes(_ caseName: String) -> [Mutation] {
        [
            Mutation(caseName, "the other convention of velocities") { node in
                node.changeVelocityRule {
                    $0.convention = $0.convention == .keras ? .pyTorch : .keras
                }
            },
            Mutation(caseName, "the other convention of weights") { node in
                node.changeWeightRule {
                    $0.convention = $0.convention == .keras ? .pyTorch : .keras
                }
            },
            Mutation(caseName, "the other step") { node in
                node.changeWeightRule { $0.nesterov.toggle() }
            },
            Mutation(caseName, "no weight decay") { node in
                node.changeVelocityRule { $0.weightDecay = 0 }
            },
            Mutation(caseName, "another momentum") { node in
                node.changeVelocityRule { $0.momentum = 0.8 }
            },
        ]
    }

    private static let states = [
        Mutation("two states that change places") { graph in
            // The second reads what the first has become.
            graph.changingUpdates { updates in updates[1].value = updates[0].value }
        },
        Mutation("two states that change places") { graph in
            graph.changingUpdates { updates in updates.removeLast() }
        },
        Mutation("a state that is an output, one that becomes an input, one that stays") { graph in
            graph.changingUpdates { updates in updates.removeFirst() }
        },
    ]

    private static let replicas = [
        Mutation("synchronised batch norm forward and back, 2 replicas", "own sums") { graph in
            graph.readingOperands(of: .replicaMean)
        },
        Mutation("replicaMean of labels counted, 4 replicas", "own counts") { graph in
            graph.readingOperands(of: .replicaMean)
        },
        Mutation("replicaMoments with means of 0.0, 2 replicas", "own moments") { graph in
            graph.readingOperands(of: .replicaMoments)
        },
        Mutation("replicaMoments of moments far apart, 4 replicas", "the mean of the variances") {
            node in
            if case .replicaMoments = node.operation { node.operation = .replicaMean }
        },
        Mutation("states that stay equal, and one that does not, 2 replicas", "own averages") {
            graph in
            graph.readingOperands(of: .replicaMean)
        },
    ]

    private init(_ caseName: String, graph: @escaping @Sendable (Graph) -> Graph) {
        self.init(caseName, "updates not all at the end", graph: graph)
    }
}

extension Graph {
    /// The graph with what some nodes read in the place of what they give.
    fileprivate func readingOperands(of operation: Operation) -> Graph {
        func source(_ value: Value) -> Value {
            self[value].operation == operation ? source(self[value].operands[0]) : value
        }
        func source(_ result: GraphOutput) -> GraphOutput {
            GraphOutput(name: result.name, value: source(result.value))
        }
        let nodes = nodes.map { node in
            var changed = node
            changed.operands = node.operands.map { source($0) }
            return changed
        }
        return Graph(
            name: name, replicaCount: replicaCount, nodes: nodes,
            outputs: outputs.map { source($0) }, updates: updates.map { source($0) })
    }

    fileprivate func changingUpdates(_ change: (inout [GraphOutput]) -> Void) -> Graph {
        var updates = updates
        change(&updates)
        return Graph(
            name: name, replicaCount: replicaCount, nodes: nodes, outputs: outputs,
            updates: updates)
    }
}

extension Node {
    fileprivate mutating func changeConvolution(_ change: (inout Convolution) -> Void) {
        switch operation {
        case .convolutionInputGradient(var convolution, let size):
            change(&convolution)
            operation = .convolutionInputGradient(convolution, size: size)
        case .convolutionFilterGradient(var convolution, let size):
            change(&convolution)
            operation = .convolutionFilterGradient(convolution, size: size)
        default: break
        }
    }

    fileprivate mutating func changeTrustRatio(
        _ change: (inout (coefficient: Double, weightDecay: Double, epsilon: Double)) -> Void
    ) {
        guard case .trustRatio(let coefficient, let weightDecay, let epsilon) = operation else {
            return
        }
        var ratio = (coefficient: coefficient, weightDecay: weightDecay, epsilon: epsilon)
        change(&ratio)
        operation = .trustRatio(
            coefficient: ratio.coefficient, weightDecay: ratio.weightDecay,
            epsilon: ratio.epsilon)
    }

    fileprivate mutating func changeVelocityRule(_ change: (inout MomentumRule) -> Void) {
        guard case .velocityUpdate(var rule) = operation else { return }
        change(&rule)
        operation = .velocityUpdate(rule)
    }

    fileprivate mutating func changeWeightRule(_ change: (inout MomentumRule) -> Void) {
        guard case .weightUpdate(var rule) = operation else { return }
        change(&rule)
        operation = .weightUpdate(rule)
    }

    fileprivate mutating func changeLossScale(_ change: (inout LossScaleRule) -> Void) {
        guard case .lossScaleUpdate(var rule) = operation else { return }
        change(&rule)
        operation = .lossScaleUpdate(rule)
    }
}
