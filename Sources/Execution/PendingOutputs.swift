public import Tensors

/// The outputs of a run that was started and may still go on.
public struct PendingOutputs: Sendable {
    private let take: @Sendable () throws(ExecutionError) -> [HostTensor]

    /// Outputs that are there.
    public init(_ outputs: [HostTensor]) {
        take = { () throws(ExecutionError) in outputs }
    }

    /// Outputs that will be there; for back ends.
    ///
    /// - Parameter take: waits for them and copies them to the machine's memory, every time it is called.
    public init(_ take: @escaping @Sendable () throws(ExecutionError) -> [HostTensor]) {
        self.take = take
    }

    /// Waits until the run has ended.
    ///
    /// - Returns: one tensor an output, of the types and in the order of `CompiledUpdate.outputTypes`.
    /// - Throws: `ExecutionError` where the run failed.
    public func wait() throws(ExecutionError) -> [HostTensor] { try take() }
}
