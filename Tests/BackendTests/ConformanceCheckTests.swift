import Execution
import Graph
import Tensors
import Testing

@Suite("Conformance suite")
struct ConformanceCheckTests {
    /// Cases of one sum, of a long sum, and of several nodes.
    static let names = [
        "convolution [1, 64, 7, 7] to 64, 3x3 step 1x1 padding 1,1,1,1 bias",
        "dense [2, 512]", "bottleneck with a projection",
    ]

    /// The same of training: with outputs, with states, and with both.
    static let trainingNames = [
        "convolutionFilterGradient [2, 32, 14, 14] to 16, 3x3 step 1x1 padding 1,1,1,1",
        "momentum keras nesterov decay [33, 5, 3, 3]",
        "convolution, its gradients and its update "
            + "[1, 64, 7, 7] to 64, 3x3 step 1x1 padding 1,1,1,1",
    ]

    @Test("has each case once")
    func unique() {
        let all = conformanceCases + trainingConformanceCases + replicaConformanceCases
        #expect(Set(all.map(\.name)).count == all.count)
    }

    @Test("covers every operation")
    func coverage() throws {
        func names(_ cases: [ConformanceCase]) throws -> Set<String> {
            try cases.reduce(into: []) { names, conformanceCase in
                let graph = try conformanceCase.build(.bfloat16).graph
                names.formUnion(graph.nodes.map(\.operation.name))
            }
        }
        #expect(try names(conformanceCases) == inferenceOperations)
        #expect(
            try names(trainingConformanceCases).subtracting(inferenceOperations) == [
                "state", "constant", "batchMoments", "normalizeBatch", "normalizationSums",
                "normalizeBatchGradient", "batchNormalizationGradient", "reluGradient",
                "convolutionInputGradient", "convolutionFilterGradient", "maxPoolIndices",
                "maxPoolGradient", "globalAveragePoolGradient", "denseInputGradient",
                "denseWeightGradient", "channelSums", "crossEntropy", "crossEntropyGradient",
                "correctCount", "row", "stack", "multiply", "reciprocal", "squaredNorm",
                "isFinite", "select", "movingAverage", "clipFactor", "trustRatio",
                "velocityUpdate", "weightUpdate", "lossScaleUpdate", "replicaMean",
                "replicaMoments",
            ])
    }

    @Test("notices mistakes", arguments: names, [ElementType.float32, .bfloat16])
    func faults(name: String, elementType: ElementType) throws {
        let conformanceCase = try #require(conformanceCases.first { $0.name == name })
        for fault in FaultyBackend.Fault.ofSteps {
            expectNoticed(
                conformanceCase, FaultyBackend(fault: fault, elementType: elementType),
                elementType, "\(fault)")
        }
    }

    @Test(
        "notices mistakes of training", arguments: trainingNames, [ElementType.float32, .bfloat16])
    func trainingFaults(name: String, elementType: ElementType) throws {
        let conformanceCase = try #require(trainingConformanceCases.first { $0.name == name })
        let hasUpdates = try !conformanceCase.build(elementType).graph.updates.isEmpty
        for fault in FaultyBackend.Fault.allCases where hasUpdates || fault != .forgetful {
            expectNoticed(
                conformanceCase, FaultyBackend(fault: fault, elementType: elementType),
                elementType, "\(fault)")
        }
    }

    @Test("notices an operation done by another rule", arguments: Mutation.all)
    func mutations(mutation: Mutation) throws {
        let cases = trainingConformanceCases + replicaConformanceCases
        let conformanceCase = try #require(cases.first { $0.name == mutation.caseName })
        for elementType in [ElementType.float32, .bfloat16] {
            expectNoticed(
                conformanceCase, MutatingBackend(mutation: mutation), elementType,
                "\(elementType.rawValue)")
        }
    }

    private func expectNoticed(
        _ conformanceCase: ConformanceCase, _ backend: any Backend, _ elementType: ElementType,
        _ comment: Comment
    ) {
        withKnownIssue(comment) {
            try checkConformance(conformanceCase, of: backend, in: elementType)
        }
    }
}
