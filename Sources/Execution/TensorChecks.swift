package import Graph
package import Tensors

// What every back end asks of the graphs and tensors that it is given, so that a mistake reads the same on all.

/// A tensor for a parameter or a state, as it was given.
///
/// - Parameters:
///   - type: what the graph states.
///   - what: how messages call it, as in `parameter fc.bias`.
///   - isConvertible: whether another floating-point type will do.
/// - Throws: `ExecutionError` with code `.missingParameter` or `.typeMismatch`.
package func requireTensor(
    _ tensor: HostTensor?, _ type: TensorType, _ what: String, isConvertible: Bool = true
) throws(ExecutionError) -> HostTensor {
    guard let tensor else {
        throw ExecutionError(.missingParameter, "\(what): expected a tensor \(type), found none")
    }
    let areReal = tensor.elementType.isFloatingPoint && type.elementType.isFloatingPoint
    let fits = tensor.elementType == type.elementType || (isConvertible && areReal)
    guard fits, tensor.shape == type.shape else {
        let found = TensorType(tensor.elementType, tensor.shape)
        throw ExecutionError(.typeMismatch, "\(what): expected a tensor \(type), found \(found)")
    }
    return tensor
}

/// A tensor for a parameter or a state, converted to the type that a graph states.
///
/// - Throws: as `requireTensor(_:_:_:isConvertible:)`.
package func fittingTensor(
    _ tensor: HostTensor?, _ type: TensorType, _ what: String
) throws(ExecutionError) -> HostTensor {
    let tensor = try requireTensor(tensor, type, what)
    do {
        return try tensor.converted(to: type.elementType)
    } catch {
        throw ExecutionError(.typeMismatch, "\(what): \(error.message)")
    }
}

extension Graph {
    /// Throws unless a run's inputs are those of all replicas.
    ///
    /// - Throws: `ExecutionError` with code `.typeMismatch`.
    package func requireInputs(_ tensors: [HostTensor]) throws(ExecutionError) {
        let (inputs, types) = (inputs, wholeInputTypes)
        guard tensors.count == inputs.count else {
            throw ExecutionError(
                .typeMismatch,
                "graph \(name): expected \(inputs.count) inputs, found \(tensors.count)")
        }
        for ((input, type), tensor) in zip(zip(inputs, types), tensors) {
            let found = TensorType(tensor.elementType, tensor.shape)
            guard found == type else {
                let replicas = replicaCount == 1 ? "" : " for \(replicaCount) replicas"
                throw ExecutionError(
                    .typeMismatch,
                    "input \(input.name): expected \(type)\(replicas), found \(found)")
            }
        }
    }

    /// Throws where there is state, which `Backend.compile` does not run.
    ///
    /// - Throws: `ExecutionError` with code `.unsupported`.
    package func requireNoState() throws(ExecutionError) {
        guard states.isEmpty else {
            throw ExecutionError(
                .unsupported,
                "graph \(name): expected no state, found \(states.count); "
                    + "compileUpdate takes graphs with state")
        }
    }

    /// Throws unless the graph is well formed.
    ///
    /// - Throws: `ExecutionError` with code `.unsupported` and what `verify()` says.
    package func requireVerified() throws(ExecutionError) {
        do {
            try verify()
        } catch {
            throw ExecutionError(.unsupported, "graph \(name): \(error.message)")
        }
    }
}
