public import Execution
import ResNetModel
import Tensors

extension TrainingStep {
    /// Does the first micro-batch of a step, and says where the time went; with one micro-batch, a whole step.
    ///
    /// - Parameters:
    ///   - batch: as for `run`.
    ///   - learningRate: as for `run`.
    ///   - state: as for `run`; it is changed as by that.
    /// - Returns: what one thread did, in order; empty where the back end does not measure.
    /// - Throws: as `run`, but a loss that is not finite passes.
    public func profile(
        _ batch: TrainingBatch, learningRate: Double, state: inout TrainingState
    ) throws -> [OperationTime] {
        let checked = try CheckedBatch(
            batch, count: self.batch, imageSize: imageSize, classCount: model.classCount,
            targets: recipe.targets)
        let inputs = inputs(of: checked, microBatch: 0, learningRate: learningRate, state.stepCount)
        return try microBatch.profile(inputs, state: &state.device)
    }
}
