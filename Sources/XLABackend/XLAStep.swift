import Execution
import Graph
import Tensors

/// A graph without state, compiled by XLA.
struct XLAStep: CompiledStep {
    private let executable: XLAExecutable

    init(_ executable: XLAExecutable) { self.executable = executable }

    var inputTypes: [TensorType] { executable.graph.wholeInputTypes }

    var outputTypes: [TensorType] { executable.graph.wholeOutputTypes }

    func run(_ inputs: [HostTensor]) throws(ExecutionError) -> [HostTensor] {
        try executable.exclusively { () throws(ExecutionError) in
            try executable.start(
                inputs,
                states: { (name, _) throws(ExecutionError) in
                    throw ExecutionError(.missingParameter, "state \(name): there is none")
                }, keep: { _, _ in })
        }.wait()
    }
}
