import Devices
import Graph
import ResNetModel
import Training

/// Finds how many pictures a step can have.
struct BatchSizeSearch {
    let architecture: ResNetArchitecture
    let recipe: TrainingRecipe
    let imageSize: Int
    let device: Device
    let memoryLimit: Int?

    /// The sizes that are tried: powers of two, and one and a half times them.
    static let sizes = [256, 192, 128, 96, 64, 48, 32, 24, 16, 12, 8, 6, 4]

    /// A step of a given size, cut into as few parts as memory allows.
    ///
    /// - Parameter microBatchCount: into how many parts, where that was decided before.
    func step(batch: Int, microBatchCount: Int?) throws -> TrainingStep {
        var recipe = recipe
        if let microBatchCount { recipe.microBatchCount = microBatchCount }
        return try TrainingStep.compile(
            model: architecture, recipe: recipe, batch: batch, imageSize: imageSize,
            backend: device.backend, replicas: replicas(batch / recipe.microBatchCount),
            memoryLimit: microBatchCount == nil ? memoryLimit : nil)
    }

    /// The largest step that fits without being cut.
    ///
    /// - Parameter most: how many pictures there are.
    /// - Throws: `RunError` with code `.invalidRecipe` where none fits.
    func largest(atMost most: Int) throws -> TrainingStep {
        for size in Self.sizes where size <= most && size % recipe.microBatchCount == 0 {
            let step = try TrainingStep.compile(
                model: architecture, recipe: recipe, batch: size, imageSize: imageSize,
                backend: device.backend, replicas: replicas(size / recipe.microBatchCount))
            let byteCount = step.stateByteCount + step.workspaceByteCount
            if byteCount <= memoryLimit ?? .max { return step }
        }
        throw RunError(
            .invalidRecipe,
            "batch_size: no size of 4 or more fits into "
                + (memoryLimit.map { "\($0) bytes" } ?? "\(most) training pictures")
                + "; choose smaller pictures with --img-size or give a --batch-size")
    }

    /// Over how many devices the pictures are shared: all of them where they come out even.
    private func replicas(_ count: Int) -> Int {
        device.replicaCount > 1 && count % device.replicaCount == 0 ? device.replicaCount : 1
    }
}
