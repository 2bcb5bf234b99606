import Execution
import Graph
import ReferenceBackend
import Tensors
import Testing

/// Runs a case on a back end and compares it with the float64 reference on the same numbers.
///
/// A graph of inference is compiled as such; one that trains, for updates. It is run on two sets of inputs, its
/// state going from one to the next, and the state is compared too. Then it is run on the first inputs again,
/// from the first state, so that anything left over from an earlier run shows.
///
/// In float32, a chain through ReLUs that is too far off is run on other numbers, up to twice: with one set of numbers
/// in ten, rounding moves an element from one side of zero to the other, and a whole gradient with it. Wrong wiring is
/// wrong with all numbers.
func checkConformance(
    _ conformanceCase: ConformanceCase, of backend: any Backend, in elementType: ElementType,
    rounding: ExtraRounding = .none,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    for attempt in 0..<3 {
        let check = try ConformanceCheck(
            conformanceCase, backend: backend, elementType: elementType, rounding: rounding,
            attempt: attempt, sourceLocation: sourceLocation)
        if isTraining(check.built.graph) { try check.runUpdate() } else { try check.runStep() }
        if !check.outcome.isTooFar { break }
    }
}

/// Whether a graph needs `compileUpdate`.
func isTraining(_ graph: Graph) -> Bool {
    !graph.states.isEmpty
        || graph.nodes.contains { !inferenceOperations.contains($0.operation.name) }
}

/// The operations of classification.
let inferenceOperations: Set = [
    "input", "parameter", "convolution", "batchNormalization", "relu", "add", "maxPool",
    "globalAveragePool", "dense", "softmax", "normalizeImage", "cast",
]

private struct ConformanceCheck {
    /// Whether the case is worth another set of numbers.
    final class Outcome {
        var isTooFar = false
    }

    let outcome = Outcome()
    /// Which set of numbers this is, from 0.
    let attempt: Int
    let name: String
    let comparison: Comparison
    let backend: any Backend
    let elementType: ElementType
    let rounding: ExtraRounding
    let sourceLocation: SourceLocation
    let built: BuiltCase
    let oracleGraph: Graph
    let parameters: Parameters

    init(
        _ conformanceCase: ConformanceCase, backend: any Backend, elementType: ElementType,
        rounding: ExtraRounding, attempt: Int,
        sourceLocation: SourceLocation
    ) throws {
        name = conformanceCase.name
        comparison = conformanceCase.comparison
        self.backend = backend
        self.elementType = elementType
        self.rounding = rounding
        self.attempt = attempt
        self.sourceLocation = sourceLocation
        built = try conformanceCase.build(elementType)
        oracleGraph = try conformanceCase.build(.float64).graph
        parameters = try randomParameters(
            built.graph, built.numbers, seed: 1 + 10 * UInt64(attempt))
    }

    func inputs(seed: UInt64) throws -> [HostTensor] {
        try randomInputs(built.graph, built.numbers, seed: seed + 10 * UInt64(attempt))
    }

    // MARK: Inference

    func runStep() throws {
        let step = try backend.compile(built.graph, parameters: parameters)
        let oracle = try ReferenceBackend().compile(oracleGraph, parameters: parameters)
        expectTypes(step.inputTypes, step.outputTypes)
        var firstResults: [HostTensor] = []
        for seed in [2, 3] as [UInt64] {
            let inputs = try inputs(seed: seed)
            let results = try step.run(inputs)
            let expected = try oracle.run(widened(inputs, oracle.inputTypes))
            let tolerance = Tolerance(
                built.graph, computedIn: elementType, rounding: rounding)
            for index in results.indices {
                expectClose(
                    results[index], expected[index], tolerance, context("seed \(seed)"),
                    sourceLocation: sourceLocation)
            }
            if seed == 2 { firstResults = results }
        }
        expectSame(try step.run(inputs(seed: 2)), firstResults, "inputs")
    }

    // MARK: Training

    func runUpdate() throws {
        let graph = built.graph
        let step = try backend.compileUpdate(graph, parameters: parameters)
        let oracle = try ReferenceBackend().compileUpdate(oracleGraph, parameters: parameters)
        expectTypes(step.inputTypes, step.outputTypes)
        let stateTypes = Dictionary(
            uniqueKeysWithValues: graph.states.map { ($0.name, $0.type) })
        #expect(step.stateTypes == stateTypes, sourceLocation: sourceLocation)

        let bystander = HostTensor([1, 2, 3] as [Float], shape: [3])
        let initial = try randomStates(
            graph, built.numbers, exactIn: elementType, seed: 1 + 10 * UInt64(attempt)
        ).merging(["bystander": bystander]) { first, _ in first }
        var state = try step.makeState(initial)
        var oracleState = try oracle.makeState(
            initial.reduce(into: [:]) { wide, tensor in
                wide[tensor.key] = try widened(tensor.value, oracle.stateTypes[tensor.key])
            })

        var firstResults: [HostTensor] = []
        var firstState: Parameters = [:]
        for seed in [2, 3] as [UInt64] {
            let inputs = try inputs(seed: seed)
            let results = try step.run(inputs, state: &state)
            let expected = try oracle.run(
                widened(inputs, oracle.inputTypes), state: &oracleState)
            // A second run starts from a state that has the first one's errors.
            let runCount = seed == 2 ? 1.0 : 2.0
            for (index, output) in graph.outputs.enumerated() {
                compare(
                    results[index], expected[index], output, runCount, "seed \(seed)")
            }
            let tensors = try state.tensors()
            let wanted = try oracleState.tensors()
            #expect(
                tensors.keys.sorted() == wanted.keys.sorted(), sourceLocation: sourceLocation)
            for update in graph.updates {
                if let found = tensors[update.name], let expected = wanted[update.name] {
                    compare(found, expected, update, runCount, "seed \(seed), update")
                }
            }
            if seed == 2 { (firstResults, firstState) = (results, tensors) }
        }
        // What has no update is as it was, to the bit.
        let updated = Set(graph.updates.map(\.name))
        for (name, tensor) in initial where !updated.contains(name) {
            expectSame(try Array(state.tensors(named: [name]).values), [tensor], name)
        }
        var again = try step.makeState(initial)
        expectSame(try step.run(inputs(seed: 2), state: &again), firstResults, "inputs and state")
        let names = firstState.keys.sorted()
        let tensors = try again.tensors(named: names)
        expectSame(
            names.compactMap { tensors[$0] }, names.compactMap { firstState[$0] }, "state")
    }

    private func compare(
        _ found: HostTensor, _ expected: HostTensor, _ result: GraphOutput, _ runCount: Double,
        _ place: String
    ) {
        let context = context("\(place) \(result.name)")
        #expect(
            found.elementType == built.graph[result.value].type.elementType,
            sourceLocation: sourceLocation)
        switch comparison {
        case .byElement(let amplification):
            let tolerance = Tolerance(
                of: result.value, in: built.graph, factor: amplification * runCount,
                rounding: rounding, computedIn: elementType)
            expectClose(found, expected, tolerance, context, sourceLocation: sourceLocation)
        case .byRootMeanSquare(let float32, let bfloat16):
            let allowed = (elementType == .float32 ? float32 : bfloat16) * runCount
            if elementType == .float32, attempt < 2, errorInMean(found, expected) > allowed {
                outcome.isTooFar = true
                return
            }
            expectCloseInMean(
                found, expected, allowed, context, sourceLocation: sourceLocation)
        }
    }

    // MARK: Helpers

    private func expectTypes(_ inputs: [TensorType], _ outputs: [TensorType]) {
        #expect(inputs == built.graph.wholeInputTypes, sourceLocation: sourceLocation)
        #expect(outputs == built.graph.wholeOutputTypes, sourceLocation: sourceLocation)
    }

    private func expectSame(_ found: [HostTensor], _ wanted: [HostTensor], _ what: String) {
        // Compared beforehand, so that a failure does not print the tensors.
        let isSame =
            found.count == wanted.count
            && zip(found, wanted).allSatisfy { pair in
                pair.0.shape == pair.1.shape
                    && zip(pair.0.doubles(), pair.1.doubles()).allSatisfy {
                        $0 == $1 || ($0.isNaN && $1.isNaN)
                    }
            }
        #expect(
            isSame, "\(backend.name), \(name): the same \(what) gave another result",
            sourceLocation: sourceLocation)
    }

    private func context(_ place: String) -> String {
        "\(backend.name), \(name), \(elementType.rawValue), \(place)"
    }

    private func widened(_ tensors: [HostTensor], _ types: [TensorType]) throws -> [HostTensor] {
        try zip(tensors, types).map { try widened($0, $1) }
    }

    private func widened(_ tensor: HostTensor, _ type: TensorType?) throws -> HostTensor {
        guard let type, type.elementType.isFloatingPoint else { return tensor }
        return try tensor.converted(to: type.elementType)
    }
}

/// Compares a tensor with the expected one, element by element; not-a-number is expected where it is given.
func expectClose(
    _ result: HostTensor, _ expected: HostTensor, _ tolerance: Tolerance, _ context: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(result.shape == expected.shape, sourceLocation: sourceLocation)
    let found = result.doubles()
    let wanted = expected.doubles()
    guard found.count == wanted.count else { return }
    let largest = wanted.reduce(0) { $1.isFinite ? max($0, abs($1)) : $0 }
    var worst = (excess: 0.0, index: 0)
    for index in found.indices {
        if found[index] == wanted[index] || (found[index].isNaN && wanted[index].isNaN) { continue }
        let allowed = tolerance.relative * abs(wanted[index]) + tolerance.absolute * largest
        let excess = abs(found[index] - wanted[index]) - allowed
        // Written so that not-a-number counts as too far.
        if !(excess <= worst.excess) { worst = (excess, index) }
        if excess.isNaN { break }
    }
    #expect(
        worst.excess <= 0,
        """
        \(context): element \(worst.index) of \(result.shape): expected \(wanted[worst.index]), \
        found \(found[worst.index]); the largest is \(largest)
        """, sourceLocation: sourceLocation)
}

/// Compares a tensor with the expected one by the root of the mean square of the differences.
func expectCloseInMean(
    _ result: HostTensor, _ expected: HostTensor, _ allowed: Double, _ context: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(result.shape == expected.shape, sourceLocation: sourceLocation)
    let error = errorInMean(result, expected)
    #expect(
        error <= allowed, "\(context): expected an error of at most \(allowed), found \(error)",
        sourceLocation: sourceLocation)
}

/// The root of the mean square of the differences, as a share of that of the expected numbers; 0 where nothing differs.
func errorInMean(_ result: HostTensor, _ expected: HostTensor) -> Double {
    let wanted = expected.doubles()
    let difference = rootMeanSquare(zip(result.doubles(), wanted).map { $0 - $1 })
    return difference == 0 ? 0 : difference / rootMeanSquare(wanted)
}

func rootMeanSquare(_ values: [Double]) -> Double {
    (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
}
