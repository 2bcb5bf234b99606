public import Execution
import Graph
import ResNetModel
import Tensors

extension TrainingStep {
    /// A state to start training from: velocities 0, averages equal to the parameters.
    ///
    /// - Parameter parameters: a tensor of real numbers for each of the model's parameters, of its shape; further
    ///   ones are left out.
    /// - Throws: `TrainingError` with code `.stateMismatch`; `ExecutionError` of the back end.
    public func initialState(parameters: Parameters) throws -> TrainingState {
        var tensors: Parameters = [:]
        for parameter in model.parameterList {
            let tensor = try Self.checked(
                parameters[parameter.name], parameter.name, parameter.shape)
            tensors[parameter.name] = tensor
            if recipe.averaging != nil {
                tensors[StateNames.average(parameter.name)] = tensor
            }
        }
        if case .dynamic(let initial, _) = recipe.lossScaling {
            tensors[StateNames.lossScale] = HostTensor([Float(initial), 0], shape: [2])
        }
        return try makeState(addingZeros(to: tensors) { _ in true }, stepCount: 0)
    }

    /// A state to go on from.
    ///
    /// - Parameters:
    ///   - tensors: what `TrainingState.tensors()` gave, of a step with the same model and recipe; further ones are
    ///     left out.
    ///   - stepCount: the steps done by then.
    /// - Throws: as `initialState(parameters:)`, and `TrainingError` with code `.stateMismatch` where `stepCount` is
    ///   negative.
    public func restoredState(_ tensors: Parameters, stepCount: Int) throws -> TrainingState {
        guard stepCount >= 0 else {
            throw TrainingError(
                .stateMismatch, "steps done: expected at least 0, found \(stepCount)")
        }
        let accumulators = Set(model.parameterList.map { StateNames.gradient($0.name) })
        var restored: Parameters = [:]
        for (name, type) in stateTypes.sorted(by: { $0.key < $1.key })
        where !accumulators.contains(name) {
            restored[name] = try Self.checked(tensors[name], name, type.shape)
        }
        let complete = addingZeros(to: restored) { accumulators.contains($0) }
        return try makeState(complete, stepCount: stepCount)
    }

    /// Adds zeros for the states that are not there, as far as they are asked for.
    private func addingZeros(
        to tensors: Parameters, where isWanted: (String) -> Bool
    ) -> Parameters {
        let missing = stateTypes.filter { tensors[$0.key] == nil && isWanted($0.key) }
        let longest = missing.values.map(\.shape.elementCount).max() ?? 0
        // One block for all: a back end copies what it is given.
        let zeros = HostTensor(repeating: 0, shape: [longest])
        var complete = tensors
        for (name, type) in missing {
            complete[name] = zeros.prefix(shapedAs: type.shape)
        }
        return complete
    }

    private static func checked(
        _ tensor: HostTensor?, _ name: String, _ shape: Shape
    ) throws(TrainingError) -> HostTensor {
        guard let tensor else {
            throw TrainingError(.stateMismatch, "\(name): expected a tensor \(shape), found none")
        }
        guard tensor.shape == shape, tensor.elementType.isFloatingPoint,
            let converted = try? tensor.converted(to: .float32)
        else {
            throw TrainingError(
                .stateMismatch,
                "\(name): expected a tensor of real numbers \(shape), "
                    + "found \(tensor.elementType.rawValue)\(tensor.shape)")
        }
        return converted
    }
}
