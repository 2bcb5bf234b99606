import Execution
import Graph
import ReferenceBackend
import Synchronization
import Tensors

/// The reference with a mistake, to show that the suite sees it.
struct FaultyBackend: Backend {
    enum Fault: CaseIterable {
        /// Every number is a few units in the last place too large.
        case imprecise
        /// The largest number is missing.
        case unwritten
        /// Each run adds to what the run before gave.
        case stateful
        /// One number is not a number.
        case notANumber
        /// State stays as it was.
        case forgetful
        /// State that has no update changes.
        case careless

        /// Those that a graph without state can show.
        static let ofSteps = [imprecise, unwritten, stateful, notANumber]
    }

    let fault: Fault
    let elementType: ElementType

    var name: String { "faulty" }
    var deviceDescription: String { "reference with a mistake" }

    func compile(
        _ graph: Graph, parameters: Parameters
    ) throws(ExecutionError) -> any CompiledStep {
        FaultyStep(
            step: try ReferenceBackend().compile(graph, parameters: parameters), backend: self)
    }

    func compileUpdate(
        _ graph: Graph, parameters: Parameters
    ) throws(ExecutionError) -> any CompiledUpdate {
        FaultyUpdate(
            step: try ReferenceBackend().compileUpdate(graph, parameters: parameters),
            updated: graph.updates.map(\.name), backend: self)
    }

    /// A result with the fault, if it is one of numbers.
    fileprivate func spoiled(
        _ result: HostTensor, run: Int, exact: Bool
    ) throws(ExecutionError) -> HostTensor {
        var values = result.floats()
        let place = values.indices.max { values[$0] < values[$1] } ?? 0
        switch fault {
        case .imprecise:
            // Where results are of float32 from exact operands, a few units of that are too many.
            let isWide = elementType == .float32 || (exact && result.elementType == .float32)
            let factor: Float = isWide ? 1 + 0x1p-18 : 1 + 0x1p-6
            values = values.map { $0 * factor }
        case .unwritten: values[place] = 0
        case .stateful: if run == 3 { values[place] += values[place] * 0x1p-5 }
        case .notANumber: values[place] = .nan
        case .forgetful, .careless: return result
        }
        do {
            return try HostTensor(values, shape: result.shape).converted(to: result.elementType)
        } catch {
            throw ExecutionError(.unsupported, error.message)
        }
    }
}

private final class FaultyStep: CompiledStep {
    let step: any CompiledStep
    let backend: FaultyBackend
    private let runCount = Mutex(0)

    init(step: any CompiledStep, backend: FaultyBackend) {
        self.step = step
        self.backend = backend
    }

    var inputTypes: [TensorType] { step.inputTypes }
    var outputTypes: [TensorType] { step.outputTypes }

    func run(_ inputs: [HostTensor]) throws(ExecutionError) -> [HostTensor] {
        let result = try step.run(inputs)[0]
        let count = runCount.withLock { count in
            count += 1
            return count
        }
        return [try backend.spoiled(result, run: count, exact: false)]
    }
}

private final class FaultyUpdate: CompiledUpdate {
    let step: any CompiledUpdate
    let updated: [String]
    let backend: FaultyBackend
    private let runCount = Mutex(0)

    init(step: any CompiledUpdate, updated: [String], backend: FaultyBackend) {
        self.step = step
        self.updated = updated
        self.backend = backend
    }

    var inputTypes: [TensorType] { step.inputTypes }
    var outputTypes: [TensorType] { step.outputTypes }
    var stateTypes: [String: TensorType] { step.stateTypes }
    var workspaceByteCount: Int { step.workspaceByteCount }

    func makeState(_ tensors: Parameters) throws(ExecutionError) -> DeviceState {
        try step.makeState(tensors)
    }

    func run(
        _ inputs: [HostTensor], state: inout DeviceState
    ) throws(ExecutionError) -> [HostTensor] {
        let before = try state.tensors()
        var outputs = try step.run(inputs, state: &state)
        let count = runCount.withLock { count in
            count += 1
            return count
        }
        for index in outputs.indices {
            outputs[index] = try backend.spoiled(outputs[index], run: count, exact: true)
        }
        var after = try state.tensors()
        for name in updated.prefix(1) {
            guard let tensor = after[name] else { continue }
            after[name] =
                backend.fault == .forgetful
                ? before[name] : try backend.spoiled(tensor, run: count, exact: true)
        }
        if backend.fault == .careless {
            for (name, tensor) in after where !updated.contains(name) {
                after[name] = HostTensor(tensor.floats().map { $0 + 1 }, shape: tensor.shape)
            }
        }
        state = try step.makeState(after)
        return outputs
    }
}
