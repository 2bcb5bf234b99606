import Execution
import Graph
import Tensors

/// A graph and its parameters, interpreted node by node.
struct ReferenceStep<Scalar: ReferenceScalar>: CompiledStep {
    private let graph: Graph
    /// The parameters' numbers, by node.
    private let constants: [Int: [Scalar]]
    /// The place of the last node that reads each value.
    private let lastReaders: [Int]

    init(_ graph: Graph, _ parameters: Parameters) throws(ExecutionError) {
        self.graph = graph
        var constants: [Int: [Scalar]] = [:]
        for parameter in graph.parameters {
            guard let tensor = parameters[parameter.name] else {
                throw ExecutionError(
                    .missingParameter,
                    "\(parameter.name): expected a tensor \(parameter.type), found none")
            }
            let type = parameter.type
            let fits =
                tensor.elementType == type.elementType
                || (tensor.elementType.isFloatingPoint && type.elementType.isFloatingPoint)
            guard fits, tensor.shape == type.shape else {
                throw ExecutionError(
                    .typeMismatch,
                    "\(parameter.name): expected a tensor \(type), "
                        + "found \(TensorType(tensor.elementType, tensor.shape))")
            }
            constants[parameter.value.index] = Self.rounded(
                Scalar.values(of: tensor), to: type.elementType)
        }
        self.constants = constants

        var lastReaders = [Int](repeating: -1, count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            for operand in node.operands { lastReaders[operand.index] = index }
        }
        for output in graph.outputs { lastReaders[output.value.index] = graph.nodes.count }
        self.lastReaders = lastReaders
    }

    var inputTypes: [TensorType] { graph.inputs.map(\.type) }

    var outputTypes: [TensorType] { graph.outputs.map { graph[$0.value].type } }

    func run(_ inputs: [HostTensor]) throws(ExecutionError) -> [HostTensor] {
        let expected = graph.inputs
        guard inputs.count == expected.count else {
            throw ExecutionError(
                .typeMismatch,
                "graph \(graph.name): expected \(expected.count) inputs, found \(inputs.count)")
        }
        var given: [Int: HostTensor] = [:]
        for (input, tensor) in zip(expected, inputs) {
            let found = TensorType(tensor.elementType, tensor.shape)
            guard found == input.type else {
                throw ExecutionError(
                    .typeMismatch, "input \(input.name): expected \(input.type), found \(found)")
            }
            given[input.value.index] = tensor
        }

        var values = [[Scalar]](repeating: [], count: graph.nodes.count)
        for (index, node) in graph.nodes.enumerated() {
            switch node.operation {
            case .input: if let tensor = given[index] { values[index] = Scalar.values(of: tensor) }
            case .parameter: values[index] = constants[index] ?? []
            default:
                let operands = node.operands.map { operand in
                    Operand(values: values[operand.index], shape: graph[operand].type.shape)
                }
                values[index] = Self.rounded(
                    Self.evaluate(node, operands), to: node.type.elementType)
            }
            for operand in node.operands where lastReaders[operand.index] == index {
                values[operand.index] = []
            }
        }

        var results: [HostTensor] = []
        for output in graph.outputs {
            if let tensor = given[output.value.index] {
                results.append(tensor)
                continue
            }
            let type = graph[output.value].type
            let tensor = Scalar.tensor(values[output.value.index], shape: type.shape)
            do {
                results.append(try tensor.converted(to: type.elementType))
            } catch {
                throw ExecutionError(.unsupported, "output \(output.name): \(error.message)")
            }
        }
        return results
    }

    /// What a node gives, before it is rounded.
    private static func evaluate(_ node: Node, _ operands: [Operand<Scalar>]) -> [Scalar] {
        let x = operands[0]
        let shape = node.type.shape
        switch node.operation {
        case .input, .parameter: preconditionFailure("inputs and parameters are given")
        case .convolution(let attributes): return convolution(attributes, operands, shape)
        case .batchNormalization(let epsilon):
            return batchNormalization(epsilon: Scalar(epsilon), operands)
        // Not-a-number stays one.
        case .relu: return x.values.map { $0 < 0 ? 0 : $0 }
        case .add: return zip(x.values, operands[1].values).map { $0 + $1 }
        case .maxPool(let window): return maxPool(window, x, shape)
        case .globalAveragePool: return globalAveragePool(x)
        case .dense: return dense(x, weight: operands[1], bias: operands[2])
        case .softmax: return softmax(x)
        case .normalizeImage(let mean, let deviation, _):
            return normalizeImage(x, mean: mean, deviation: deviation)
        case .cast: return x.values
        }
    }

    private static func rounded(_ values: [Scalar], to elementType: ElementType) -> [Scalar] {
        let isExact =
            !elementType.isFloatingPoint || elementType == .float64
            || (elementType == .float32 && Scalar.self == Float.self)
        return isExact ? values : values.map { $0.rounded(to: elementType) }
    }
}

/// What an operation reads.
struct Operand<Scalar: ReferenceScalar> {
    /// The numbers in row-major order.
    let values: [Scalar]
    let shape: Shape
}
