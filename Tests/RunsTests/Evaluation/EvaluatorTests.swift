import Datasets
import Devices
import Images
import Inference
import Native
import Runs
import Tensors
import Testing

@Suite("Evaluator")
struct EvaluatorTests {
    private func evaluator(batch: Int, resize: Int = 32) throws -> Evaluator {
        try Evaluator(
            architecture: TinyNetwork.architecture, parameters: TinyNetwork.parameters,
            device: openDevice(.auto, threads: 2), precision: .float32,
            transform: EvaluationTransform(resize: resize, crop: 32), batch: batch, workers: 2)
    }

    @Test("counts every picture once, whatever the batch", arguments: [1, 4, 7, 23, 64])
    func countsOnce(batch: Int) throws {
        let dataset = NumberedPictures.dataset(count: 23, badPlaces: [0, 5, 22])
        let result = try evaluator(batch: batch).evaluate(dataset)
        #expect(result.sampleCount == 20)
        let skipped = result.skipped.map { $0.name }
        #expect(skipped == ["picture 0", "picture 5", "picture 22"])
        let total = result.confusion.entries.map { $0.count }.reduce(0, +)
        #expect(total == 20)
        let counts = result.confusion.labelCounts
        #expect(counts == [2, 3, 2, 2, 2, 1, 2, 2, 2, 2])
        let once = try evaluator(batch: 1).evaluate(dataset)
        #expect(result.confusion == once.confusion)
        // float32 sums of other groupings: their rounding, over a depth of 18 layers.
        #expect(abs(result.crossEntropy - once.crossEntropy) < 1e-4)
        let positions = Set(result.worst.map { $0.position })
        #expect(positions == Set(0..<23).subtracting([0, 5, 22]))
    }

    @Test("sees what Classifier sees")
    func agreesWithClassifier() async throws {
        let dataset = NumberedPictures.dataset(count: 5, side: 40)
        let result = try evaluator(batch: 4).evaluate(dataset)
        var options = Classifier.Options()
        options.precision = .fp32
        options.threads = 2
        options.transform = try EvaluationTransform(resize: 32, crop: 32)
        let classifier = try await Classifier(
            model: LoadedModel(
                architecture: TinyNetwork.architecture, parameters: TinyNetwork.parameters),
            options: options)
        for sample in result.worst {
            let picture = try NumberedPictures.picture(UInt64(sample.position), side: 40)
            let answer = try await classifier.classify(picture)
            #expect(answer.top[0].index == sample.predicted)
            #expect(abs(answer.top[0].probability - sample.confidence) < 1e-4)
        }
    }

    @Test("averages a picture and its mirror image to the same, whichever it is given")
    func mirrors() throws {
        let plain = NumberedPictures.dataset(count: 6)
        let mirrored = Dataset(
            name: "mirrored", classNames: plain.classNames, samples: plain.samples,
            source: MirroredPictures())
        let evaluator = try evaluator(batch: 4)
        let first = try evaluator.evaluate(plain, testTimeAugmentation: .flip)
        let second = try evaluator.evaluate(mirrored, testTimeAugmentation: .flip)
        #expect(first.confusion == second.confusion)
        #expect(abs(first.crossEntropy - second.crossEntropy) < 1e-6)
        let single = try evaluator.evaluate(plain)
        #expect(abs(first.crossEntropy - single.crossEntropy) > 1e-6)
    }

    @Test(
        "averages as many crops as are named, each where it belongs",
        arguments: [(TestTimeAugmentation.fiveCrop, false), (.tenCrop, true)])
    func crops(augmentation: TestTimeAugmentation, mirrors: Bool) throws {
        let dataset = NumberedPictures.dataset(count: 3, side: 40)
        let result = try evaluator(batch: 2, resize: 40)
            .evaluate(dataset, testTimeAugmentation: augmentation)
        // The same crops, cut here and evaluated one by one.
        let offsets = [(0, 0), (0, 8), (8, 0), (8, 8), (4, 4)]
        let parts = offsets.flatMap { top, left in
            (mirrors ? [false, true] : [false]).map { (top, left, $0) }
        }
        var mean = [Double](repeating: 0, count: 3)
        for (top, left, isMirrored) in parts {
            let cut = Dataset(
                name: "cut", classNames: dataset.classNames, samples: dataset.samples,
                source: CutPictures(top: top, left: left, isMirrored: isMirrored))
            let single = try evaluator(batch: 3).evaluate(cut)
            for sample in single.worst {
                mean[sample.position] += sample.probability / Double(parts.count)
            }
        }
        for sample in result.worst {
            #expect(abs(sample.probability - mean[sample.position]) < 1e-5)
        }
    }

    @Test("tells how far it is, and ends where that throws")
    func stops() throws {
        struct Enough: Error {}
        let dataset = NumberedPictures.dataset(count: 9)
        var seen: [Int] = []
        #expect(throws: Enough.self) {
            try evaluator(batch: 2).evaluate(dataset) { done, total in
                seen.append(done)
                #expect(total == 9)
                if done >= 4 { throw Enough() }
            }
        }
        #expect(seen == [2, 4])
    }

    @Test("refuses a data set of other classes, and one of which nothing can be read")
    func refuses() throws {
        let evaluator = try evaluator(batch: 2)
        let other = #expect(throws: RunError.self) {
            try evaluator.evaluate(NumberedPictures.dataset(count: 3, classCount: 4))
        }
        #expect(other?.code == .labelMismatch)
        let nothing = #expect(throws: RunError.self) {
            try evaluator.evaluate(NumberedPictures.dataset(count: 2, badPlaces: [0, 1]))
        }
        #expect(nothing?.code == .nothingToEvaluate)
        #expect(nothing?.message.contains("picture 0") == true)
    }

    @Test(
        "draws the worst pictures of files that it has measured by, and leaves out those that are gone"
    )
    func drawsWorst() throws {
        let plain = NumberedPictures.dataset(count: 8)
        func dataset(missing: Set<Int>) -> Dataset {
            Dataset(
                name: "files", classNames: plain.classNames, samples: plain.samples,
                source: ScratchedPictures(missing: missing))
        }
        let evaluator = try evaluator(batch: 4)
        let result = try evaluator.evaluate(dataset(missing: []))
        #expect(result.sampleCount == 8)
        let all = try evaluator.worstPictures(of: result, in: dataset(missing: []))
        #expect(all.count >= 4)
        let gone = all[0].sample.position
        let rest = try evaluator.worstPictures(of: result, in: dataset(missing: [gone]))
        let positions = rest.map { $0.sample.position }
        #expect(positions == all.dropFirst().map { $0.sample.position })
    }

    @Test("refuses a batch of nothing")
    func refusesBatch() {
        let error = #expect(throws: InferenceError.self) { try evaluator(batch: 0) }
        #expect(error?.code == .invalidOption)
    }
}

/// The pictures of `NumberedPictures`, mirrored.
private struct MirroredPictures: SampleSource {
    func content(of sample: Sample) throws(DatasetError) -> SampleContent {
        try CutPictures(top: 0, left: 0, isMirrored: true, side: 32).content(of: sample)
    }
}

/// A part of 32 by 32 pixels of each picture of `NumberedPictures`.
private struct CutPictures: SampleSource {
    var top: Int
    var left: Int
    var isMirrored: Bool
    var side = 40

    func content(of sample: Sample) throws(DatasetError) -> SampleContent {
        do {
            let picture = try NumberedPictures.picture(UInt64(sample.place), side: side)
            let bytes = picture.pixels.bytes
            var pixels: [UInt8] = []
            for row in 0..<32 {
                for column in 0..<32 {
                    let x = left + (isMirrored ? 31 - column : column)
                    for channel in 0..<3 {
                        pixels.append(bytes[((top + row) * side + x) * 3 + channel])
                    }
                }
            }
            return .pixels(try Image(width: 32, height: 32, pixels: pixels))
        } catch {
            throw DatasetError(.badSample, "\(error)")
        }
    }
}

/// The pictures of `NumberedPictures` as JPEG files that decoders warn of: bytes stand before the last marker.
private struct ScratchedPictures: SampleSource {
    var missing: Set<Int>

    func content(of sample: Sample) throws(DatasetError) -> SampleContent {
        guard !missing.contains(sample.place) else {
            throw DatasetError(.notFound, "\(sample.name): no such file")
        }
        do {
            let picture = try NumberedPictures.picture(UInt64(sample.place))
            let bytes = try encodeJPEG(picture, quality: 90).array
            let noise = [UInt8](repeating: 0x5A, count: 40)
            let damaged: [UInt8] = Array(bytes.dropLast(2)) + noise + [0xFF, 0xD9]
            return .encoded(Memory(copying: damaged))
        } catch {
            throw DatasetError(.badSample, "\(error)")
        }
    }
}
