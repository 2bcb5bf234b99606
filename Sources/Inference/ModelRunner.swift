package import Devices
package import Execution
import Graph
package import Images
import Native
package import ResNetModel
import Synchronization
package import Tensors

/// A model on a device: one compiled step for each batch size and set of outputs that was asked for.
///
/// `step` and `run` block their thread.
package final class ModelRunner: Sendable {
    private struct StepKey: Hashable {
        var batch: Int
        var outputs: Set<ResNetOutput>
    }

    /// The network and its weights.
    package let model: LoadedModel
    /// What it runs on.
    package let device: Device
    /// What it computes in.
    package let precision: ElementType
    /// Both sides of a picture in pixels.
    package let imageSize: Int
    private let steps = Mutex<[StepKey: any CompiledStep]>([:])

    /// Takes a model; nothing is compiled yet.
    package init(
        model: LoadedModel, device: Device, precision: ElementType, imageSize: Int
    ) {
        self.model = model
        self.device = device
        self.precision = precision
        self.imageSize = imageSize
    }

    /// The size of the steps that take so many pictures: as many as there are, or, where compiling is slow, the next
    /// power of two, so that there are few sizes.
    ///
    /// - Parameter most: the largest size.
    package func batchSize(for count: Int, atMost most: Int) -> Int {
        var size = max(1, count)
        if device.compilesSlowly {
            size = 1
            while size < count { size *= 2 }
        }
        return min(size, most)
    }

    /// Compiles a step, unless that has been done.
    @discardableResult
    package func step(batch: Int, outputs: Set<ResNetOutput>) throws -> any CompiledStep {
        let key = StepKey(batch: batch, outputs: outputs)
        if let step = steps.withLock({ $0[key] }) { return step }
        let graph = try model.architecture.inferenceGraph(
            batch: batch, imageSize: imageSize, outputs: outputs)
        let (optimized, parameters) = try optimizeForInference(
            graph, model.parameters, precision: precision)
        let step = try device.backend.compile(optimized, parameters: parameters)
        steps.withLock { $0[key] = step }
        return step
    }

    /// Runs pictures through the network.
    ///
    /// - Parameters:
    ///   - pictures: at most `batch`, each `imageSize` by `imageSize`.
    ///   - batch: the size of the step; places without a picture are black.
    ///   - outputs: what to compute.
    /// - Returns: for each output the numbers of all places of the batch.
    package func run(
        _ pictures: [Image], batch: Int, outputs: Set<ResNetOutput>
    ) throws -> [ResNetOutput: [Float]] {
        try run(try pixels(of: pictures, batch: batch), batch: batch, outputs: outputs)
    }

    /// Runs pixels `[batch, imageSize, imageSize, 3]` through the network.
    package func run(
        _ pixels: HostTensor, batch: Int, outputs: Set<ResNetOutput>
    ) throws -> [ResNetOutput: [Float]] {
        let results = try step(batch: batch, outputs: outputs).run([pixels])
        // A graph lists its outputs in the order of the cases.
        let order = ResNetOutput.allCases.filter(outputs.contains)
        var floats: [ResNetOutput: [Float]] = [:]
        for (output, result) in zip(order, results) { floats[output] = result.floats() }
        return floats
    }

    /// Puts pictures one behind the other.
    package func pixels(of pictures: [Image], batch: Int) throws -> HostTensor {
        let shape: Shape = [batch, imageSize, imageSize, 3]
        if batch == 1, let picture = pictures.first, picture.pixels.byteCount == shape.elementCount
        {
            return try HostTensor(elementType: .uint8, shape: shape, memory: picture.pixels)
        }
        var memory = try MutableMemory(reserving: shape.elementCount)
        let byteCount = imageSize * imageSize * 3
        for (place, picture) in pictures.enumerated() {
            precondition(picture.pixels.byteCount == byteCount)
            memory.copy(picture.pixels, to: place * byteCount)
        }
        return try HostTensor(elementType: .uint8, shape: shape, memory: memory.finish())
    }
}
