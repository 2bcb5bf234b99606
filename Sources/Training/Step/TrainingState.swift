public import Execution

/// What training changes: weights, running statistics, velocities, averages, loss scale.
///
/// There is one owner, and no copy: a step changes it in place.
public struct TrainingState: ~Copyable, Sendable {
    var device: DeviceState
    /// Steps done, skipped ones included.
    public internal(set) var stepCount: Int
    let parameterNames: [String]
    let stateNames: [String]

    /// The network's tensors, by the names of `ResNetArchitecture.parameterList`.
    ///
    /// - Throws: `ExecutionError` where the device fails.
    public borrowing func parameters() throws(ExecutionError) -> Parameters {
        try device.tensors(named: parameterNames)
    }

    /// The slow average of the network's tensors, by the same names.
    ///
    /// - Throws: `ExecutionError` with code `.missingParameter` where the recipe has no averages.
    public borrowing func averagedParameters() throws(ExecutionError) -> Parameters {
        let averages = try device.tensors(named: parameterNames.map(StateNames.average))
        var parameters: Parameters = [:]
        for name in parameterNames { parameters[name] = averages[StateNames.average(name)] }
        return parameters
    }

    /// All that a later run needs to go on from here: the network's tensors, `velocity.` and `ema.` of them, and
    /// `lossScale`, as far as the recipe has them.
    ///
    /// - Throws: `ExecutionError` where the device fails.
    public borrowing func tensors() throws(ExecutionError) -> Parameters {
        try device.tensors(named: stateNames)
    }
}
