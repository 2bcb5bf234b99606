import Execution
import Graph
import Tensors

/// A graph that was compiled, with inputs and outputs by name; its outputs are single numbers.
struct CompiledGraph: Sendable {
    let update: any CompiledUpdate
    private let inputNames: [String]
    private let outputNames: [String]

    init(_ graph: Graph, backend: any Backend, parameters: Parameters) throws(ExecutionError) {
        update = try backend.compileUpdate(graph, parameters: parameters)
        inputNames = graph.inputs.map(\.name)
        outputNames = graph.outputs.map(\.name)
    }

    func run(
        _ inputs: [String: HostTensor], state: inout DeviceState
    ) throws(ExecutionError) -> [String: Double] {
        let results = try update.run(inputNames.compactMap { inputs[$0] }, state: &state)
        var numbers: [String: Double] = [:]
        for (name, result) in zip(outputNames, results) { numbers[name] = result.doubles().first }
        return numbers
    }

    func profile(
        _ inputs: [String: HostTensor], state: inout DeviceState
    ) throws(ExecutionError) -> [OperationTime] {
        try update.profile(inputNames.compactMap { inputs[$0] }, state: &state)
    }
}
