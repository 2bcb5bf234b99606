import CPUBackend
import Execution
import Graph
import Native
import ReferenceBackend
import ResNetModel
import Tensors
import Testing
import Training
import XLABackend

/// Whole steps of the fast back ends against those of the reference.
@Suite("Training steps on the fast back ends")
struct BackendAgreementTests {
    /// Networks with all kinds of layers: small, but of more than one chunk.
    static let models = [
        ResNetArchitecture(depth: .resNet18, classCount: 5),
        ResNetArchitecture(depth: .resNet50, classCount: 4),
    ]

    /// What is held to the reference, by what messages call it.
    private func backends() throws -> [(String, any Backend)] {
        var backends: [(String, any Backend)] = [
            ("direct", try CPUBackend(threads: 2, winograd: false)),
            ("Winograd", try CPUBackend(threads: 2, winograd: true)),
        ]
        if XLABackend.isInstalled(.cpu) { backends.append(("XLA", try XLABackend(.cpu))) }
        return backends
    }

    /// The graph of one step without momentum and decay, after which velocities are gradients.
    private func graph(
        _ model: ResNetArchitecture, _ precision: TrainingRecipe.Precision, isFrozen: Bool
    ) throws -> Graph {
        let recipe = TrainingRecipe(
            optimizer: .sgd(momentum: 0), weightDecay: 0, labelSmoothing: 0.1,
            precision: precision,
            normalization: BatchNormalizationOptions(isFrozen: isFrozen))
        return try TrainingGraphs(model: model, recipe: recipe, batch: 6, imageSize: 48).microBatch
    }

    /// Loss and state after one step.
    private func step(
        _ graph: Graph, _ model: ResNetArchitecture, on backend: any Backend
    ) throws -> (loss: Double, state: Parameters) {
        let update = try backend.compileUpdate(graph, parameters: [:])
        var tensors = model.initialParameters(seed: 3)
        for (name, type) in update.stateTypes where tensors[name] == nil {
            tensors[name] = HostTensor(repeating: 0, shape: type.shape)
        }
        for (name, type) in update.stateTypes {
            tensors[name] = try tensors[name]?.converted(to: type.elementType)
        }
        var state = try update.makeState(tensors)
        let images = TinyTraining.batch(count: 6, imageSize: 48).images
        let inputs = graph.inputs.map { input in
            switch input.name {
            case "image": images
            case "labels": HostTensor((0..<6).map { Int32($0 % 4) }, shape: [6])
            default: HostTensor([Float(0)], shape: [])
            }
        }
        let outputs = try update.run(inputs, state: &state)
        return (outputs[0].doubles()[0], try state.tensors())
    }

    @Test(
        "give float64's loss, gradients and statistics in float32",
        .enabled(if: isOptimizedBuild, "slow without optimisation: swift test -c release"),
        arguments: models)
    func float32(model: ResNetArchitecture) throws {
        let narrow = try graph(model, .float32, isFrozen: false)
        let exact = try step(convert(narrow, to: .float64), model, on: ReferenceBackend())
        for (name, backend) in try backends() {
            let found = try step(narrow, model, on: backend)
            #expect(abs(found.loss - exact.loss) <= 1e-4 * abs(exact.loss))
            // Roundings of 2^-24 turn the signs of a few activations near zero, and each takes or gives a whole
            // gradient: up to some hundredths of a tensor's norm, in whatever order float32 is summed. Most tensors
            // see none or few of them.
            var errors: [Double] = []
            for (state, tensor) in exact.state.sorted(by: { $0.key < $1.key }) {
                let wanted = tensor.doubles()
                let other = try #require(found.state[state]).doubles()
                errors.append(distance(other, wanted) / max(norm(wanted), 1e-6))
                #expect(errors[errors.count - 1] <= 0.1, "\(state), \(name)")
            }
            let median = errors.sorted()[errors.count / 2]
            #expect(median <= 0.01, "\(name)")
        }
    }

    @Test(
        "give exact gradients where nothing is near zero: with frozen statistics",
        .enabled(if: isOptimizedBuild, "slow without optimisation: swift test -c release"))
    func frozen() throws {
        let model = ResNetArchitecture(depth: .resNet18, classCount: 5)
        let narrow = try graph(model, .float32, isFrozen: true)
        let exact = try step(convert(narrow, to: .float64), model, on: ReferenceBackend())
        for (name, backend) in try backends() {
            let found = try step(narrow, model, on: backend)
            for (state, tensor) in exact.state.sorted(by: { $0.key < $1.key }) {
                let wanted = tensor.doubles()
                let other = try #require(found.state[state]).doubles()
                // Fewer layers, and no statistics over few values, turn fewer signs.
                let error = distance(other, wanted)
                #expect(
                    error <= 5e-3 * norm(wanted) + 1e-7,
                    "\(state), \(name): \(error / norm(wanted))")
            }
        }
    }

    @Test(
        "point where float64 gradients point, in bfloat16",
        .enabled(if: isOptimizedBuild, "slow without optimisation: swift test -c release"))
    func bfloat16() throws {
        let model = ResNetArchitecture(depth: .resNet18, classCount: 5)
        let exact = try step(
            convert(graph(model, .float32, isFrozen: true), to: .float64), model,
            on: ReferenceBackend())
        for (name, backend) in try backends() {
            let found = try step(graph(model, .bfloat16, isFrozen: true), model, on: backend)
            #expect(abs(found.loss - exact.loss) <= 0.02 * abs(exact.loss), "\(name)")
            for (state, tensor) in exact.state.sorted(by: { $0.key < $1.key })
            where state.hasPrefix("velocity.") {
                let other = try #require(found.state[state]).doubles()
                let cosine = cosine(tensor.doubles(), other)
                // Activations of 8 bits through 18 layers and back.
                #expect(cosine >= 0.98, "\(state), \(name): \(cosine)")
            }
        }
    }

    @Test("give the same bytes each time, and with any number of threads")
    func isReproducible() throws {
        let model = ResNetArchitecture(depth: .resNet18, classCount: 5)
        for precision in [TrainingRecipe.Precision.float32, .bfloat16] {
            let graph = try graph(model, precision, isFrozen: false)
            let first = try step(graph, model, on: CPUBackend(threads: 1))
            for threads in [1, 2, 3] {
                let again = try step(graph, model, on: CPUBackend(threads: threads))
                #expect(again.loss == first.loss)
                for (name, tensor) in first.state {
                    let isSame = again.state[name]?.floats() == tensor.floats()
                    #expect(isSame, "\(name), \(threads) threads, \(precision)")
                }
            }
        }
    }

    private func norm(_ values: [Double]) -> Double {
        values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    }

    private func distance(_ left: [Double], _ right: [Double]) -> Double {
        norm(zip(left, right).map { $0 - $1 })
    }

    private func cosine(_ left: [Double], _ right: [Double]) -> Double {
        let product = zip(left, right).reduce(0) { $0 + $1.0 * $1.1 }
        return product / max(norm(left) * norm(right), 1e-300)
    }
}
