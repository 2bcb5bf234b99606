import Execution
import Tensors
import Testing
import Training

@Suite("Steps that were started")
struct PendingStepTests {
    @Test("are those of a run", arguments: [1, 2])
    func same(microBatches: Int) throws {
        let batch = TinyTraining.batch(count: 4)
        let step = try TinyTraining.step(TrainingRecipe(microBatchCount: microBatches), batch: 4)
        var state = try step.initialState(parameters: TinyTraining.parameters)
        let first = try step.run(batch, learningRate: 0.01, state: &state)
        let second = try step.run(batch, learningRate: 0.01, state: &state)
        var other = try step.initialState(parameters: TinyTraining.parameters)
        let pending = [
            try step.start(batch, learningRate: 0.01, state: &other),
            try step.start(batch, learningRate: 0.01, state: &other),
        ]
        #expect(other.stepCount == 2 && pending.map(\.index) == [0, 1])
        // In any order, as often as wanted.
        for index in [1, 0, 1] {
            let metrics = try pending[index].metrics()
            #expect(metrics == (index == 0 ? first : second))
        }
    }

    @Test("tell of a loss that is not finite when they are asked", arguments: [1, 2])
    func nonFinite(microBatches: Int) throws {
        var parameters = TinyTraining.parameters
        parameters["fc.bias"] = HostTensor([Float](repeating: .nan, count: 4), shape: [4])
        let step = try TinyTraining.step(TrainingRecipe(microBatchCount: microBatches), batch: 4)
        var state = try step.initialState(parameters: parameters)
        let pending = try step.start(
            TinyTraining.batch(count: 4), learningRate: 0.01, state: &state)
        let error = #expect(throws: TrainingError.self) { _ = try pending.metrics() }
        #expect(error?.code == .nonFiniteLoss)
        #expect(error?.message.hasPrefix("loss of step 0: ") == true)
    }

    @Test("are refused where batch or learning rate do not fit")
    func refused() throws {
        let step = try TinyTraining.step(TrainingRecipe())
        var state = try step.initialState(parameters: TinyTraining.parameters)
        var codes: [TrainingError.Code] = []
        do {
            _ = try step.start(
                TinyTraining.batch(count: 3), learningRate: 0.01, state: &state)
        } catch let error as TrainingError { codes.append(error.code) }
        do {
            _ = try step.start(TinyTraining.batch(), learningRate: -1, state: &state)
        } catch let error as TrainingError { codes.append(error.code) }
        #expect(codes == [.batchMismatch, .invalidLearningRate])
        #expect(state.stepCount == 0)
    }
}
