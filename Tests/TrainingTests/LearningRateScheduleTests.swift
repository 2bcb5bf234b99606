import Testing
import Training

/// Rates worked out by hand from the formulas of the sources.
@Suite("Learning-rate schedules")
struct LearningRateScheduleTests {
    /// The rates at the start of epochs.
    private func rates(
        _ schedule: LearningRateSchedule, epochs: [Int], stepsPerEpoch: Int = 10
    ) -> [Double] {
        epochs.map {
            schedule.learningRate(at: TrainingTime(epoch: $0, stepsPerEpoch: stepsPerEpoch))
        }
    }

    private func rates(
        _ schedule: LearningRateSchedule, steps: [Int], stepsPerEpoch: Int = 10
    ) -> [Double] {
        steps.map {
            schedule.learningRate(at: TrainingTime(step: $0, stepsPerEpoch: stepsPerEpoch))
        }
    }

    private func expectEqual(_ found: [Double], _ expected: [Double]) {
        #expect(found.count == expected.count)
        for (found, expected) in zip(found, expected) {
            #expect(abs(found - expected) <= 1e-12 * max(1, abs(expected)))
        }
    }

    @Test("NVIDIA's for PyTorch rises in 8 epochs and falls by a cosine over the other 82")
    func nvidiaPyTorch() {
        let schedule = LearningRateSchedule.nvidiaPyTorch(batch: 2048)
        #expect(schedule.peak == 2.048)
        // 2.048 * (epoch + 1) / 8; then 2.048 * 0.5 * (1 + cos(pi * (epoch - 8) / 82)): at 49 it is half way.
        expectEqual(
            rates(schedule, epochs: [0, 3, 7, 8, 49]), [0.256, 1.024, 2.048, 2.048, 1.024])
        // cos(pi / 4) = 0.707106781186547524 at (epoch - 8) / 82 = 1/4 is no whole epoch; 1/2 - 41/82 is, and so is
        // the last epoch, 81/82: 1 + cos = 2 * sin(pi / 164)^2 = 2 * 0.0191548^2.
        #expect(abs(rates(schedule, epochs: [89])[0] - 2.048 * 0.000366907) <= 1e-6)
        #expect(rates(schedule, epochs: [90, 1000]) == [0, 0])
    }

    @Test("rates per epoch stay the same within one")
    func perEpoch() {
        let schedule = LearningRateSchedule.nvidiaPyTorch(batch: 256, epochs: 50)
        #expect(rates(schedule, steps: [0, 9]) == [0.032, 0.032])
        #expect(rates(schedule, steps: [10]) == [0.064])
    }

    @Test("NVIDIA's for TensorFlow starts at 0 and drops where the warm-up ends")
    func nvidiaTensorFlow() {
        let schedule = LearningRateSchedule.nvidiaTensorFlow(
            batch: 256, epochs: 90, warmupEpochs: 15)
        // 0.256 * step / 150 up to step 149; the cosine over 900 steps is at cos(pi / 6) = 0.866... then.
        expectEqual(rates(schedule, steps: [0, 75, 149]), [0, 0.128, 0.256 * 149 / 150])
        expectEqual(
            rates(schedule, steps: [150, 300, 450, 600, 900, 901]),
            [
                0.128 * 1.866_025_403_784_438_65, 0.128 * 1.5, 0.128, 0.128 * 0.5, 0, 0,
            ])
    }

    @Test("MLPerf's falls by a square from the end of the warm-up to 0.0001")
    func mlPerf() throws {
        let schedule = try LearningRateSchedule.mlPerf(peak: 10.0001)
        // 37 epochs of 10 steps, 20 of them warm-up: half way is step 195, where a quarter of 10 is left.
        expectEqual(
            rates(schedule, steps: [0, 10, 20, 195, 370, 400]),
            [0, 5.00005, 10.0001, 2.5001, 0.0001, 0.0001])
    }

    @Test("torchvision's falls to a tenth each 30 epochs")
    func torchvision() {
        let schedule = LearningRateSchedule.torchvision(batch: 256)
        expectEqual(
            rates(schedule, epochs: [0, 29, 30, 59, 60, 89]), [0.1, 0.1, 0.01, 0.01, 0.001, 0.001])
        expectEqual(rates(.torchvision(batch: 512), epochs: [0]), [0.2])
    }

    @Test("steps are taken where their milestone is, counted from the start of training")
    func steps() throws {
        let schedule = try LearningRateSchedule(
            peak: 1, length: .steps(100), interval: .step,
            warmup: .init(length: .steps(4), start: .firstPart),
            decay: .step(factor: 0.5, milestones: [.steps(10), .epochs(2.5), .steps(30)]))
        expectEqual(
            rates(schedule, steps: [0, 3, 4, 9, 10, 24, 25, 29, 30, 99]),
            [0.25, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125])
    }

    @Test("a line and a constant are what they say")
    func linearAndConstant() throws {
        let line = try LearningRateSchedule(
            peak: 1, length: .epochs(10), interval: .epoch, decay: .linear(end: 0.5))
        expectEqual(rates(line, epochs: [0, 5, 10, 11]), [1, 0.75, 0.5, 0.5])
        let constant = try LearningRateSchedule(
            peak: 0.3, length: .steps(10), warmup: .init(length: .steps(3)))
        expectEqual(rates(constant, steps: [0, 1, 3, 9, 20]), [0, 0.1, 0.3, 0.3, 0.3])
    }

    @Test("a decay without length is over")
    func emptyDecay() throws {
        let schedule = try LearningRateSchedule(
            peak: 1, length: .steps(2), warmup: .init(length: .steps(2), start: .firstPart),
            decay: .cosine(end: 0.25))
        expectEqual(rates(schedule, steps: [0, 1, 2]), [0.5, 1, 0.25])
    }

    @Test(
        "a number out of its range is an error",
        arguments: [
            (-1, 0, 10, 2, "peak learning rate"),
            (.nan, 0, 10, 2, "peak learning rate"),
            (1, .infinity, 10, 2, "end learning rate"),
            (1, 0, -10, -20, "length"),
            (1, 0, .nan, 2, "length"),
            (1, 0, 10, 11, "warm-up"),
        ] as [(Double, Double, Double, Double, String)])
    func invalid(
        peak: Double, end: Double, length: Double, warmup: Double, name: String
    ) throws {
        let error = #expect(throws: TrainingError.self) {
            try LearningRateSchedule(
                peak: peak, length: .epochs(length), warmup: .init(length: .epochs(warmup)),
                decay: .cosine(end: end))
        }
        #expect(error?.code == .invalidRecipe)
        #expect(error?.message.contains(name) == true)
    }

    @Test("time counts whole epochs")
    func time() {
        #expect(TrainingTime(step: 9, stepsPerEpoch: 10).epoch == 0)
        #expect(TrainingTime(step: 10, stepsPerEpoch: 10).epoch == 1)
        #expect(TrainingTime(epoch: 3, stepsPerEpoch: 7).step == 21)
        #expect(TrainingSpan.epochs(2.55).stepCount(stepsPerEpoch: 10) == 25)
        #expect(TrainingSpan.steps(25).epochCount(stepsPerEpoch: 10) == 2.5)
    }
}
