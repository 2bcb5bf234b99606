import Execution
import Graph
import Tensors

/// A graph without state, ready to run.
struct ReferenceStep: CompiledStep {
    private let program: TypedProgram

    init(_ program: TypedProgram) { self.program = program }

    var inputTypes: [TensorType] { program.inputTypes }

    var outputTypes: [TensorType] { program.outputTypes }

    func run(_ inputs: [HostTensor]) throws(ExecutionError) -> [HostTensor] {
        try program.run(inputs, states: [:]).outputs
    }
}
