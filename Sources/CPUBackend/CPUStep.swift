import Execution
import Graph
import Native
import Tensors

/// A graph compiled for the processor.
struct CPUStep: CompiledStep {
    let inputTypes: [TensorType]
    let outputTypes: [TensorType]
    let runner: KernelRunner
    private let graph: Graph

    init(graph: Graph, runner: KernelRunner) {
        inputTypes = graph.inputs.map(\.type)
        outputTypes = graph.outputs.map { graph[$0.value].type }
        self.runner = runner
        self.graph = graph
    }

    func run(_ inputs: [HostTensor]) throws(ExecutionError) -> [HostTensor] {
        let memories = try Self.memories(inputs, of: graph)
        let results: [Memory]
        do {
            results = try runner.run(memories)
        } catch {
            throw ExecutionError(error)
        }
        var outputs: [HostTensor] = []
        for (memory, type) in zip(results, outputTypes) {
            do {
                outputs.append(
                    try HostTensor(
                        elementType: type.elementType, shape: type.shape, memory: memory))
            } catch {
                throw ExecutionError(.libraryFailure, error.message)
            }
        }
        return outputs
    }

    /// The inputs' bytes, aligned, after a check of their types.
    static func memories(
        _ inputs: [HostTensor], of graph: Graph
    ) throws(ExecutionError) -> [Memory] {
        try graph.requireInputs(inputs)
        var memories: [Memory] = []
        for input in inputs {
            // Kernels read whole vectors; bytes from the middle of a file may sit anywhere.
            let memory = input.memory
            memories.append(
                memory.isAligned(for: UInt64.self) ? memory : Memory(copying: memory.bytes))
        }
        return memories
    }
}
