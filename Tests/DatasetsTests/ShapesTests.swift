import Datasets
import Foundation
import Images
import Native
import Tensors
import Testing

@Suite("Drawn shapes")
struct ShapesTests {
    private static func picture(_ dataset: Dataset, _ index: Int) throws -> Image {
        guard case .pixels(let image) = try dataset.source.content(of: dataset.samples[index])
        else { throw DatasetError(.badSample, "a drawing is pixels") }
        return image
    }

    @Test("are the same for the same seed, and others for another")
    func repeats() throws {
        let first = Shapes.split(training: 30, validation: 10, size: 32)
        let same = Shapes.split(training: 30, validation: 10, size: 32)
        let other = Shapes.split(training: 30, validation: 10, size: 32, seed: 1)
        for index in 0..<30 {
            let picture = try bytes(Self.picture(first.training, index))
            #expect(try bytes(Self.picture(same.training, index)) == picture)
            #expect(try bytes(Self.picture(other.training, index)) != picture)
        }
        let training = try bytes(Self.picture(first.training, 0))
        #expect(try bytes(Self.picture(first.validation, 0)) != training)
    }

    private func bytes(_ image: Image) -> [UInt8] {
        let span = image.pixels.bytes
        return span.indices.map { span[$0] }
    }

    @Test("have ten classes, equally often")
    func areBalanced() {
        let split = Shapes.split(training: 100, validation: 20, size: 16)
        #expect(split.training.classNames.count == 10)
        let counts = split.training.classCounts
        #expect(counts == [Int](repeating: 10, count: 10))
        let few = split.validation.classCounts
        #expect(few == [Int](repeating: 2, count: 10))
        let names = Set((split.training.samples + split.validation.samples).map { $0.name })
        #expect(names.count == 120)
    }

    @Test("can be named, with their counts, size and seed")
    func haveNames() throws {
        let plain = try #require(try Shapes.open("shapes"))
        #expect(plain.training.samples.count == 4000)
        let named = try #require(try Shapes.open("shapes:val=7,train=20,size=48,seed=9"))
        #expect(named.training.samples.count == 20)
        #expect(named.validation.samples.count == 7)
        let image = try Self.picture(named.training, 3)
        #expect(image.width == 48 && image.height == 48)
        let again = try #require(try Shapes.open(named.training.name))
        #expect(try bytes(Self.picture(again.training, 3)) == bytes(image))
        let none = try Shapes.open("flowers")
        #expect(none == nil)
        for wrong in [
            "shapes:size=7", "shapes:size", "shapes:colour=1", "shapes:train=-1",
            "shapes:size=5000",
            "shapes:seed=x", "shapes:train=99999999999", "shapes:train=100000001",
            "shapes:val=4294967296",
        ] {
            do throws(DatasetError) {
                _ = try Shapes.open(wrong)
                Issue.record("\(wrong) is taken")
            } catch {
                #expect(error.code == .invalidOption)
            }
        }
    }

    @Test("cannot be told apart by a linear model of their pixels")
    func areNotLinear() throws {
        let shapes = Shapes.split(training: 2000, validation: 500, size: 24)
        let right = try Self.accuracy(shapes.training, shapes.validation, size: 24)
        // Guessing gives 0.1.
        #expect(right < 0.4, "\(right)")
        // The same model does tell pictures apart whose classes are in their pixels.
        let contents = try (0..<300).map { try plain($0 % 3 * 80 + $0 % 7, size: 24) }
        let control = try Self.accuracy(dataset(contents), dataset(contents), size: 24)
        #expect(control > 0.95, "\(control)")
    }

    /// The share of pictures that a linear model gets right after it has learnt from others.
    private static func accuracy(
        _ training: Dataset, _ validation: Dataset, size: Int
    ) throws -> Double {
        var model = LinearModel(
            inputCount: size * size * 3, classCount: training.classNames.count)
        let transform = LoaderOptions.Transform.evaluation(
            try EvaluationTransform(resize: size, crop: size))
        let loader = try BatchLoader(
            training,
            options: LoaderOptions(
                batch: 50, transform: transform, shuffles: true, keepsPartialBatch: false))
        for index in 0..<5 {
            loader.start(epoch: index)
            while let batch = try loader.next() { model.learn(batch, rate: 0.002) }
        }
        let measured = try BatchLoader(
            validation,
            options: LoaderOptions(
                batch: 50, transform: transform, shuffles: false, keepsPartialBatch: true))
        var right = 0
        while let batch = try measured.next() { right += model.right(batch) }
        return Double(right) / Double(validation.samples.count)
    }

    @Test(
        "can be looked at",
        .enabled(
            if: ProcessInfo.processInfo.environment["RESNET_SHAPES_SHEET"] != nil,
            "RESNET_SHAPES_SHEET names no file to write a sheet of shapes to"))
    func canBeSeen() throws {
        let path = try #require(ProcessInfo.processInfo.environment["RESNET_SHAPES_SHEET"])
        let (size, columns, rows) = (96, 10, 8)
        let shapes = Shapes.split(training: columns * rows, validation: 0, size: size).training
        var sheet = [UInt8](repeating: 0, count: size * size * columns * rows * 3)
        for index in 0..<columns * rows {
            let picture = try bytes(Self.picture(shapes, index))
            let (left, top) = (index % columns * size, index / columns * size)
            for y in 0..<size {
                for x in 0..<size * 3 {
                    sheet[(top + y) * size * columns * 3 + left * 3 + x] = picture[y * size * 3 + x]
                }
            }
        }
        let image = try Image(width: size * columns, height: size * rows, pixels: sheet)
        let png = try encodePNG(image)
        try Data(png.bytes.indices.map { png.bytes[$0] }).write(to: URL(filePath: path))
    }
}

/// Softmax regression on pixels, trained by plain gradient descent.
private struct LinearModel {
    private let inputCount: Int
    private let classCount: Int
    private var weights: [Float]
    private var biases: [Float]

    init(inputCount: Int, classCount: Int) {
        self.inputCount = inputCount
        self.classCount = classCount
        weights = [Float](repeating: 0, count: inputCount * classCount)
        biases = [Float](repeating: 0, count: classCount)
    }

    private func inputs(_ batch: LoadedBatch) -> [Float] {
        batch.images.elements(UInt8.self).map { Float($0) / 127.5 - 1 }
    }

    private func logits(_ inputs: ArraySlice<Float>) -> [Float] {
        (0..<classCount).map { index in
            var sum = biases[index]
            let start = index * inputCount
            for place in 0..<inputCount {
                sum += weights[start + place] * inputs[inputs.startIndex + place]
            }
            return sum
        }
    }

    mutating func learn(_ batch: LoadedBatch, rate: Float) {
        let all = inputs(batch)
        for (row, label) in batch.labels.enumerated() {
            let input = all[row * inputCount..<(row + 1) * inputCount]
            let logits = logits(input)
            let most = logits.max() ?? 0
            let powers = logits.map { Float(exp(Double($0 - most))) }
            let sum = powers.reduce(0, +)
            for index in 0..<classCount {
                let error = powers[index] / sum - (index == label ? 1 : 0)
                biases[index] -= rate * error
                let start = index * inputCount
                for place in 0..<inputCount {
                    weights[start + place] -= rate * error * input[input.startIndex + place]
                }
            }
        }
    }

    func right(_ batch: LoadedBatch) -> Int {
        let all = inputs(batch)
        return batch.labels.enumerated().count { row, label in
            let logits = logits(all[row * inputCount..<(row + 1) * inputCount])
            return logits.indices.max { logits[$0] < logits[$1] } == label
        }
    }
}
