import Datasets
import ModelFormats
import Native
import Runs
import Tensors
import Testing

@Suite("Temperature")
struct TemperatureFitTests {
    /// Labels drawn from the probabilities that logits give, and these logits made too sure of themselves.
    private func sample(
        count: Int, classCount: Int, sharpness: Double, seed: UInt64
    ) -> (logits: [Float], labels: [Int]) {
        var random = RandomGenerator(seed: seed)
        func unit() -> Double { Double(random.next() >> 11) / Double(1 << 53) }
        var logits: [Float] = []
        var labels: [Int] = []
        for _ in 0..<count {
            let row = (0..<classCount).map { _ in 6 * unit() - 3 }
            let powers = row.map { exponential($0) }
            var rest = unit() * powers.reduce(0, +)
            labels.append(
                powers.firstIndex { power in
                    rest -= power
                    return rest <= 0
                } ?? classCount - 1)
            logits += row.map { Float($0 * sharpness) }
        }
        return (logits, labels)
    }

    @Test("undoes what made logits too sure, or too unsure", arguments: [0.3, 1, 2.5, 8])
    func recovers(sharpness: Double) {
        let (logits, labels) = sample(count: 20_000, classCount: 6, sharpness: sharpness, seed: 4)
        let fit = TemperatureFit(logits: logits, labels: labels)
        #expect(!fit.isAtEnd)
        // The spread of the best temperature over samples of this size is about a hundredth.
        #expect(abs(fit.temperature / sharpness - 1) < 0.04)
    }

    @Test("has the least cross-entropy of all nearby", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func isMinimum(seed: UInt64) {
        let (logits, labels) = sample(count: 50, classCount: 4, sharpness: 3, seed: seed)
        let fit = TemperatureFit(logits: logits, labels: labels)
        func loss(_ temperature: Double) -> Double {
            labels.indices.map { row in
                let own = (0..<4).map { Double(logits[row * 4 + $0]) / temperature }
                return naturalLogarithm(own.map { exponential($0) }.reduce(0, +)) - own[labels[row]]
            }.reduce(0, +) / Double(labels.count)
        }
        let least = loss(fit.temperature)
        #expect(least <= loss(fit.temperature * 1.001))
        #expect(least <= loss(fit.temperature / 1.001))
        #expect(least <= loss(1))
        // Where the slope is 0, a thousandth to either side costs the same.
        #expect(abs(loss(fit.temperature * 1.001) - loss(fit.temperature / 1.001)) < 1e-7)
    }

    @Test("stays in its range where all is right, or nothing is told")
    func ends() {
        let right = TemperatureFit(logits: [1, 0, 0, 1], labels: [0, 1])
        #expect(right.isAtEnd)
        #expect(right.temperature == 0.05)
        let wrong = TemperatureFit(logits: [1, 0, 0, 1], labels: [1, 0])
        #expect(wrong.isAtEnd)
        #expect(wrong.temperature == 20)
        let even = TemperatureFit(logits: [3, 3, 3, 3], labels: [1, 0])
        #expect(even.isAtEnd)
    }

    @Test("survives logits as large as float32 has them")
    func extremes() {
        let huge = Float.greatestFiniteMagnitude
        let fit = TemperatureFit(
            logits: [huge, -huge, huge, -huge, -huge, huge], labels: [0, 1, 1])
        #expect(TemperatureFit.range.contains(fit.temperature))
    }

    @Test("is measured on the half that it was not fitted to")
    func crossFits() {
        let (logits, labels) = sample(count: 4000, classCount: 5, sharpness: 4, seed: 9)
        var outputs = LabelledLogits(dataset: NumberedPictures.dataset(count: 4000, classCount: 5))
        for (row, label) in labels.enumerated() {
            outputs.add(logits[row * 5..<(row + 1) * 5], label: label, position: row)
        }
        let before = outputs.result(temperature: 1)
        let after = outputs.result(temperature: outputs.fit().temperature)
        let other = outputs.crossFitted()
        #expect(after.expectedCalibrationError < before.expectedCalibrationError / 4)
        #expect(after.crossEntropy < before.crossEntropy)
        #expect(after.top1 == before.top1)
        #expect(after.crossEntropy <= other?.crossEntropy ?? 0)
        #expect((other?.crossEntropy ?? 100) < before.crossEntropy)
    }

    @Test("goes into a file beside what it says, and leaves its tensors as they are")
    func stores() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/w.safetensors"
        let tensor = HostTensor([1, 2, 3] as [Float], shape: [3])
        try Safetensors.write(
            tensors: [NamedTensor(name: "a", tensor: tensor)],
            metadata: ["variant": "v1", "temperature": "9"], to: path)
        try StoredTemperature.store(1.25, in: path)
        let read = try Safetensors.read(try Memory(mapping: path), name: path)
        #expect(read.metadata == ["variant": "v1", "temperature": "1.25"])
        let values = read.tensors[0].tensor.floats()
        #expect(values == [1, 2, 3])
    }

    @Test("finds no place in a PyTorch file")
    func refuses() {
        let error = #expect(throws: RunError.self) {
            try StoredTemperature.check(.pytorchZip, path: "w.pth")
        }
        #expect(error?.code == .cannotStore)
        #expect(error?.message.contains("--output") == true)
    }
}
