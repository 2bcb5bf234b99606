import Execution
import Graph
import ReferenceBackend
import Synchronization
import Tensors
import Testing

/// The reference with a mistake, to show that the suite sees it.
private struct FaultyBackend: Backend {
    enum Fault: CaseIterable {
        /// Every number is a few units in the last place too large.
        case imprecise
        /// The largest number is missing.
        case unwritten
        /// Each run adds to what the run before gave.
        case stateful
        /// One number is not a number.
        case notANumber
    }

    let fault: Fault
    let elementType: ElementType

    var name: String { "faulty" }
    var deviceDescription: String { "reference with a mistake" }

    func compile(
        _ graph: Graph, parameters: Parameters
    ) throws(ExecutionError) -> any CompiledStep {
        FaultyStep(
            step: try ReferenceBackend().compile(graph, parameters: parameters), backend: self)
    }
}

private final class FaultyStep: CompiledStep {
    let step: any CompiledStep
    let backend: FaultyBackend
    private let runCount = Mutex(0)

    init(step: any CompiledStep, backend: FaultyBackend) {
        self.step = step
        self.backend = backend
    }

    var inputTypes: [TensorType] { step.inputTypes }
    var outputTypes: [TensorType] { step.outputTypes }

    func run(_ inputs: [HostTensor]) throws(ExecutionError) -> [HostTensor] {
        let result = try step.run(inputs)[0]
        let count = runCount.withLock { count in
            count += 1
            return count
        }
        var values = result.floats()
        let place = values.indices.max { values[$0] < values[$1] } ?? 0
        switch backend.fault {
        case .imprecise:
            let factor: Float = backend.elementType == .bfloat16 ? 1 + 0x1p-6 : 1 + 0x1p-18
            values = values.map { $0 * factor }
        case .unwritten: values[place] = 0
        case .stateful: if count == 3 { values[place] += values[place] * 0x1p-5 }
        case .notANumber: values[place] = .nan
        }
        do {
            let tensor = HostTensor(values, shape: result.shape)
            return [try tensor.converted(to: result.elementType)]
        } catch {
            throw ExecutionError(.unsupported, error.message)
        }
    }
}

@Suite("Conformance suite")
struct ConformanceCheckTests {
    /// Cases of one sum, of a long sum, and of several nodes.
    static let names = [
        "convolution [1, 64, 7, 7] to 64, 3x3 step 1x1 padding 1,1,1,1 bias",
        "dense [2, 512]", "bottleneck with a projection",
    ]

    @Test("has each case once")
    func unique() {
        #expect(Set(conformanceCases.map(\.name)).count == conformanceCases.count)
    }

    @Test("covers every operation")
    func coverage() throws {
        var names: Set<String> = []
        for conformanceCase in conformanceCases {
            names.formUnion(try conformanceCase.build(.bfloat16).nodes.map(\.operation.name))
        }
        #expect(
            names == [
                "input", "parameter", "convolution", "batchNormalization", "relu", "add",
                "maxPool", "globalAveragePool", "dense", "softmax", "normalizeImage", "cast",
            ])
    }

    @Test("notices mistakes", arguments: names, [ElementType.float32, .bfloat16])
    func faults(name: String, elementType: ElementType) throws {
        let conformanceCase = try #require(conformanceCases.first { $0.name == name })
        for fault in FaultyBackend.Fault.allCases {
            withKnownIssue("\(fault)") {
                try checkConformance(
                    conformanceCase, of: FaultyBackend(fault: fault, elementType: elementType),
                    in: elementType)
            }
        }
    }
}
