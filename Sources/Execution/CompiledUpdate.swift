public import Graph
public import Tensors

/// A graph with state made ready to run: each run reads the state and leaves the graph's updates in it.
///
/// What replicas of the graph share and what each has of its own is said at `Graph.replicaCount`.
///
/// One run at a time: a second concurrent call waits for the first.
public protocol CompiledUpdate: Sendable {
    /// The types of the inputs of all replicas together, in the graph's order: `Graph.wholeInputTypes`.
    var inputTypes: [TensorType] { get }
    /// The types of the outputs of all replicas together, in the graph's order: `Graph.wholeOutputTypes`.
    var outputTypes: [TensorType] { get }
    /// The types of the state, by name: that of one replica.
    var stateTypes: [String: TensorType] { get }
    /// Bytes that a run needs on each device beside the state: activations, gradients, packed filters. None of it
    /// is touched before the first run.
    var workspaceByteCount: Int { get }

    /// Brings state to the device, or a copy to the device of each replica.
    ///
    /// - Parameter tensors: at least a tensor for each state of the graph, of the graph's shape; further ones are
    ///   kept too, for other graphs that share the state.
    /// - Throws: `ExecutionError` where one is missing or of another shape or type.
    func makeState(_ tensors: Parameters) throws(ExecutionError) -> DeviceState

    /// Runs once.
    ///
    /// The state is donated: it is changed in place, and where the run throws before computing, it is as it was.
    ///
    /// - Parameters:
    ///   - inputs: one tensor an input, of the types and in the order of `inputTypes`.
    ///   - state: what `makeState` of this back end gave, with every state of the graph in it.
    /// - Returns: one tensor an output, of the types and in the order of `outputTypes`.
    /// - Throws: `ExecutionError` where an input or the state does not fit or a library fails.
    func run(
        _ inputs: [HostTensor], state: inout DeviceState
    ) throws(ExecutionError) -> [HostTensor]

    /// Starts a run and returns before it has ended, where the back end has devices of their own; elsewhere runs.
    ///
    /// The state stays on its devices and is what the run will have left: it may be given to further runs at once,
    /// which follow in order, and reading it waits. Each run that was started holds its inputs on the device until it
    /// has read them, so have few of them under way: two keep a device busy.
    ///
    /// - Parameters: as for `run`.
    /// - Returns: the outputs, to be waited for.
    /// - Throws: as `run`, before anything is computed. What goes wrong later is thrown where outputs or state are
    ///   read; the state is lost then.
    func start(
        _ inputs: [HostTensor], state: inout DeviceState
    ) throws(ExecutionError) -> PendingOutputs

    /// Runs once, and says where the time went.
    ///
    /// - Returns: what one thread did, in order; empty where the back end does not measure.
    /// - Throws: as `run`.
    func profile(
        _ inputs: [HostTensor], state: inout DeviceState
    ) throws(ExecutionError) -> [OperationTime]
}

extension CompiledUpdate {
    /// Runs once, to its end.
    public func start(
        _ inputs: [HostTensor], state: inout DeviceState
    ) throws(ExecutionError) -> PendingOutputs {
        PendingOutputs(try run(inputs, state: &state))
    }

    /// Runs once; nothing is measured.
    public func profile(
        _ inputs: [HostTensor], state: inout DeviceState
    ) throws(ExecutionError) -> [OperationTime] {
        _ = try run(inputs, state: &state)
        return []
    }
}

/// What one thread spent on a call of a kernel, and how much work the call is for all threads together.
public struct OperationTime: Sendable, Hashable {
    /// What was done, as in `convolution`.
    public let kind: String
    /// For which node of the graph, as in `layer1.0.conv2`.
    public let label: String
    /// The thread's time.
    public let seconds: Double
    /// Multiply-adds in the whole batch, as direct sums; 0 where the call does other things.
    public let multiplyAdds: Int
    /// Bytes of the call's operands in the whole batch, each counted once.
    public let byteCount: Int

    /// Takes what was measured.
    public init(kind: String, label: String, seconds: Double, multiplyAdds: Int, byteCount: Int) {
        self.kind = kind
        self.label = label
        self.seconds = seconds
        self.multiplyAdds = multiplyAdds
        self.byteCount = byteCount
    }
}

/// What training changes, on its device: weights, velocities, statistics, counters.
///
/// There is one owner, and no copy: a run changes it in place.
public struct DeviceState: ~Copyable, Sendable {
    /// What the back end keeps; for back ends alone.
    public let storage: any DeviceStorage

    /// Wraps what a back end keeps.
    public init(storage: any DeviceStorage) { self.storage = storage }

    /// Copies tensors to the machine's memory; where there are several replicas, those of the first.
    ///
    /// - Parameter names: which ones; all where `nil`.
    /// - Throws: `ExecutionError` with code `.missingParameter` where there is no such state.
    public borrowing func tensors(
        named names: [String]? = nil
    ) throws(ExecutionError) -> Parameters {
        try storage.tensors(named: names)
    }
}

/// State as a back end keeps it.
public protocol DeviceStorage: AnyObject, Sendable {
    /// Copies tensors of the first replica to the machine's memory; all where `names` is `nil`.
    func tensors(named names: [String]?) throws(ExecutionError) -> Parameters
}
