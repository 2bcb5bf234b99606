import Graph
import ResNetModel
import Tensors

extension StepGraphBuilder {
    /// What the updates of all weights share; all without axes.
    private struct Common {
        var learningRate: Value
        /// What gradients are multiplied with, one over the loss scale times the clip factor; `nil` for 1.
        var factor: Value?
        /// Whether all gradients are finite; `nil` where nobody asks.
        var isFinite: Value?
        /// What new weights get in the average; `nil` where there is none.
        var averageShare: Value?
    }

    /// Adds the new values of weights, velocities, averages and loss scale.
    ///
    /// Here replicas put their gradients together, before anything is decided by them: all then do the same.
    ///
    /// - Parameter ownGradients: one for each trained parameter, of this replica's loss times the loss scale.
    mutating func addUpdates(_ ownGradients: [Value]) throws(GraphError) {
        var gradients: [Value] = []
        for (parameter, gradient) in zip(trained, ownGradients) {
            gradients.append(try replicaMean(gradient, label: "\(parameter.name).gradient"))
        }
        let common = try addCommon(gradients)
        for (parameter, gradient) in zip(trained, gradients) {
            let weight = try addUpdate(of: parameter, gradient, common)
            try addAverage(of: parameter, weight, common)
        }
        guard common.averageShare != nil else { return }
        for parameter in model.parameterList
        where !parameter.isTrained || recipe.frozen.contains(parameter) {
            try addAverage(of: parameter, newStatistic(parameter), common)
        }
    }

    private mutating func addCommon(_ gradients: [Value]) throws(GraphError) -> Common {
        let scalar = TensorType(.float32, [])
        var common = Common(
            learningRate: try graph.input(StepNames.learningRate, type: scalar))
        if recipe.averaging != nil {
            common.averageShare = try graph.input(StepNames.averageShare, type: scalar)
        }
        if let scale = try lossScale() {
            common.factor = try graph.reciprocal(scale, label: StateNames.lossScale)
            common.isFinite = try addFiniteCheck(gradients, scale)
        }
        if let maximum = recipe.gradientClipNorm {
            let norm = try addSquaredNorm(gradients, common, label: StepNames.squaredGradientNorm)
            try graph.output(StepNames.squaredGradientNorm, norm)
            let clip = try graph.clipFactor(squaredNorm: norm, maximum: maximum)
            if let factor = common.factor {
                common.factor = try graph.multiply(factor, by: clip)
            } else {
                common.factor = clip
            }
        }
        return common
    }

    private mutating func addFiniteCheck(
        _ gradients: [Value], _ scale: Value
    ) throws(GraphError) -> Value {
        let isFinite = try graph.isFinite(gradients, label: StepNames.isFinite)
        try graph.output(StepNames.isFinite, isFinite)
        try graph.output(StepNames.lossScale, scale)
        if case .dynamic(_, let rule) = recipe.lossScaling {
            let new = try graph.lossScaleUpdate(
                rule, state(StateNames.lossScale, [2]), isFinite: isFinite,
                label: StateNames.lossScale)
            try graph.update(StateNames.lossScale, new)
        }
        return isFinite
    }

    /// Adds the squared norm of gradients times their factor.
    private mutating func addSquaredNorm(
        _ gradients: [Value], _ common: Common, label: String
    ) throws(GraphError) -> Value {
        let norm = try graph.squaredNorm(gradients, label: label)
        guard let factor = common.factor else { return norm }
        // Twice, since the factor's square may be less than float32 holds.
        let once = try graph.multiply(norm, by: factor, label: label)
        return try graph.multiply(once, by: factor, label: label)
    }

    /// Adds the new velocity and weight of a parameter.
    ///
    /// - Returns: the new weight.
    private mutating func addUpdate(
        of parameter: ResNetParameter, _ gradient: Value, _ common: Common
    ) throws(GraphError) -> Value {
        let name = parameter.name
        let weight = try state(name, parameter.shape)
        let velocity = try state(StateNames.velocity(name), parameter.shape)
        let weightDecay = recipe.weightDecay(of: parameter)
        let rule = recipe.optimizer.rule(weightDecay: weightDecay)
        let factor: Value
        if let value = common.factor { factor = value } else { factor = try constant(1) }

        var rate = common.learningRate
        if let trust = recipe.trust(of: parameter) {
            let weightNorm = try graph.squaredNorm([weight], label: name)
            let gradientNorm = try addSquaredNorm([gradient], common, label: name)
            let ratio = try graph.trustRatio(
                weight: weightNorm, gradient: gradientNorm, coefficient: trust.coefficient,
                weightDecay: weightDecay, epsilon: trust.epsilon, label: name)
            rate = try graph.multiply(rate, by: ratio, label: name)
        }
        var newVelocity = try graph.velocityUpdate(
            rule, velocity: velocity, weight: weight, gradient: gradient, rate: rate,
            factor: factor, label: name)
        var newWeight = try graph.weightUpdate(
            rule, weight: weight, gradient: gradient, velocity: newVelocity, rate: rate,
            factor: factor, label: name)
        if let isFinite = common.isFinite {
            newVelocity = try graph.select(isFinite, newVelocity, velocity, label: name)
            newWeight = try graph.select(isFinite, newWeight, weight, label: name)
        }
        try graph.update(StateNames.velocity(name), newVelocity)
        try graph.update(name, newWeight)
        return newWeight
    }

    /// Adds the new average of a parameter, where there are averages.
    private mutating func addAverage(
        of parameter: ResNetParameter, _ new: Value, _ common: Common
    ) throws(GraphError) {
        guard let share = common.averageShare else { return }
        let name = StateNames.average(parameter.name)
        let old = try state(name, parameter.shape)
        try graph.update(name, graph.movingAverage(old, new, share: share, label: name))
    }
}
