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

    func start(
        _ inputs: [String: HostTensor], state: inout DeviceState
    ) throws(ExecutionError) -> PendingNumbers {
        let outputs = try update.start(inputNames.compactMap { inputs[$0] }, state: &state)
        return PendingNumbers(names: outputNames, outputs: outputs)
    }

    func profile(
        _ inputs: [String: HostTensor], state: inout DeviceState
    ) throws(ExecutionError) -> [OperationTime] {
        try update.profile(inputNames.compactMap { inputs[$0] }, state: &state)
    }
}

/// Single numbers that a run will give, by name.
struct PendingNumbers: Sendable {
    let names: [String]
    let outputs: PendingOutputs

    /// Waits for them.
    func numbers() throws(ExecutionError) -> [String: Double] {
        let results = try outputs.wait()
        var numbers: [String: Double] = [:]
        for (name, result) in zip(names, results) { numbers[name] = result.doubles().first }
        return numbers
    }
}
