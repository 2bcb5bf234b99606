import Datasets
import Foundation
import Images
import Native
import Tensors
import Testing

@Suite("The batch loader")
struct BatchLoaderTests {
    private static func options(
        batch: Int = 4, size: Int = 8, seed: UInt64 = 1, workers: Int = 2
    ) throws -> LoaderOptions {
        var options = LoaderOptions.training(
            batch: batch, seed: seed,
            transform: try TrainingTransform(
                size: size, policy: .trivialAugmentWide,
                erasing: RandomErasing(probability: 0.25)))
        options.workers = workers
        return options
    }

    private static func evaluation(batch: Int = 4, size: Int = 8) throws -> LoaderOptions {
        LoaderOptions.evaluation(
            batch: batch, transform: try EvaluationTransform(resize: size, crop: size))
    }

    @Test("gives the same bytes with 1, 2 and 4 workers", arguments: [1, 2, 4])
    func isTheSame(workers: Int) throws {
        let shapes = Shapes.split(training: 50, validation: 0, size: 32).training
        let loader = try BatchLoader(
            shapes, options: try Self.options(size: 24, workers: workers))
        #expect(loader.stepsPerEpoch == 12)
        let sums = try epoch(loader, 3).map { checksum($0) }
        let alone = try BatchLoader(shapes, options: try Self.options(size: 24, workers: 1))
        let expected = try epoch(alone, 3).map { checksum($0) }
        #expect(sums == expected)
        #expect(Set(sums).count == 12)
    }

    @Test(
        "gives the same bytes with any number of workers, of JPEGs with bad ones, mixed, from any step on",
        arguments: [2, 4])
    func isTheSameOfFiles(workers: Int) throws {
        var contents = try (0..<40).map { number in
            SampleContent.encoded(
                Memory(copying: try DrawnPictures.jpeg(number, width: 120, height: 90)))
        }
        for bad in [3, 11, 12, 30] { contents[bad] = garbage }
        let data = dataset(contents)
        func loader(_ workers: Int) throws -> BatchLoader {
            // Crops of 120 x 90 pixels for 24: most are decoded smaller.
            var options = try Self.options(batch: 6, size: 24, workers: workers)
            options.maximumBadShare = 0.2
            options.mixing = BatchMixing(mixUpAlpha: 0.4, cutMixAlpha: 1)
            return try BatchLoader(data, options: options)
        }
        let alone = try loader(1)
        let expected = try epoch(alone, 2)
        let team = try loader(workers)
        let batches = try epoch(team, 2)
        let late = try epoch(try loader(workers), 2, from: 3)
        #expect(expected.count == 6 && batches.count == 6 && late.count == 3)
        for (found, step) in zip(batches + late, [0, 1, 2, 3, 4, 5, 3, 4, 5]) {
            #expect(checksum(found) == checksum(expected[step]), "\(step)")
            #expect(found.positions == expected[step].positions, "\(step)")
            let shares = found.distributions?.floats()
            let expectedShares = expected[step].distributions?.floats()
            #expect(shares == expectedShares, "\(step)")
        }
        #expect(team.skipped == alone.skipped && !team.skipped.isEmpty)
    }

    @Test("goes on at any step as if it had never stopped, and reads epochs ahead rightly")
    func resumes() throws {
        let shapes = Shapes.split(training: 41, validation: 0, size: 16).training
        let loader = try BatchLoader(shapes, options: try Self.options())
        let first = try epoch(loader, 0)
        // Read ahead while the first one ended.
        let second = try epoch(loader, 1)
        #expect(first.count == 10 && second.count == 10)
        let late = try BatchLoader(shapes, options: try Self.options())
        let rest = try epoch(late, 1, from: 7)
        #expect(rest.map { checksum($0) } == second[7...].map { checksum($0) })
        #expect(rest.map { $0.positions } == second[7...].map { $0.positions })
        // Back again, with others read ahead.
        let again = try epoch(late, 0)
        #expect(again.map { checksum($0) } == first.map { checksum($0) })
        #expect(first.map { $0.positions } != second.map { $0.positions })
    }

    @Test("takes every sample at most once an epoch, in another order each")
    func shuffles() throws {
        let contents = try (0..<23).map { try plain($0) }
        let loader = try BatchLoader(dataset(contents), options: try Self.options(batch: 5))
        for index in 0..<3 {
            let batches = try epoch(loader, index)
            let positions = batches.flatMap { $0.positions }
            #expect(batches.count == 4)
            #expect(Set(positions).count == 20)
            #expect(positions != positions.sorted())
            let labels = batches.flatMap { $0.labels }
            #expect(labels == positions.map { $0 % 3 })
        }
    }

    @Test("to measure by, gives every picture once, in order, the last ones in a smaller batch")
    func evaluates() throws {
        let contents = try (0..<10).map { try plain($0) }
        let loader = try BatchLoader(dataset(contents), options: try Self.evaluation())
        #expect(loader.stepsPerEpoch == 3)
        let batches = try epoch(loader, 0)
        #expect(batches.map { $0.positions } == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]])
        let shapes = batches.map { $0.images.shape }
        #expect(shapes == [[4, 8, 8, 3], [4, 8, 8, 3], [2, 8, 8, 3]])
        for batch in batches {
            for (index, position) in batch.positions.enumerated() {
                #expect(batch.images.memory.bytes[index * 192] == UInt8(position))
            }
        }
        let again = try epoch(loader, 0)
        #expect(again.map { checksum($0) } == batches.map { checksum($0) })
    }

    @Test("to measure by, leaves bad pictures out, and whole batches of them")
    func leavesOut() throws {
        var contents = try (0..<12).map { try plain($0) }
        for bad in [1, 4, 5, 6, 7] { contents[bad] = garbage }
        var options = try Self.evaluation()
        options.maximumBadShare = 0.5
        let loader = try BatchLoader(dataset(contents), options: options)
        let positions = try epoch(loader, 0).map { $0.positions }
        #expect(positions == [[0, 2, 3], [8, 9, 10, 11]])
        let skipped = loader.skipped.map { $0.name }
        #expect(skipped == [1, 4, 5, 6, 7].map { "sample \($0)" })
        let reason = loader.skipped[0].reason
        #expect(reason.contains("sample 1"))
        #expect(reason.contains("web page"))
    }

    @Test("to learn from, puts the next good picture in a bad one's place, and moves no other")
    func replaces() throws {
        let good = try (0..<20).map { try plain($0) }
        let expected = try epoch(
            try BatchLoader(dataset(good), options: try Self.options(batch: 5)), 0
        ).flatMap { $0.positions }
        var contents = good
        let bad = [expected[3], expected[4], expected[11]]
        for position in bad { contents[position] = garbage }
        var options = try Self.options(batch: 5)
        options.maximumBadShare = 0.2
        let loader = try BatchLoader(dataset(contents), options: options)
        let batches = try epoch(loader, 0)
        var replaced = expected
        replaced[3] = expected[5]
        replaced[4] = expected[5]
        replaced[11] = expected[12]
        #expect(batches.flatMap { $0.positions } == replaced)
        #expect(loader.skipped.count == 3)
    }

    @Test(
        "ends with an error where too many pictures are bad, and names the first",
        arguments: [true, false])
    func givesUp(isEvaluation: Bool) throws {
        var contents = try (0..<40).map { try plain($0) }
        for bad in 0..<5 { contents[bad * 3] = garbage }
        var options = isEvaluation ? try Self.evaluation() : try Self.options()
        options.maximumBadShare = 0.1
        let loader = try BatchLoader(dataset(contents), options: options)
        do {
            _ = try epoch(loader, 0)
            Issue.record("nothing is thrown")
        } catch let error as DatasetError {
            #expect(error.code == .tooManyBad)
            #expect(error.message.contains("at most 10.0 %"), "\(error)")
            #expect(error.message.contains("5 of 40"), "\(error)")
            #expect(error.message.contains("sample "), "\(error)")
        }
    }

    @Test(
        "finds that too many are bad at the same batch, however far workers have read",
        arguments: [1, 4])
    func givesUpInOrder(workers: Int) throws {
        var contents = try (0..<40).map { try plain($0) }
        let bad = [2, 17, 25, 33, 38]
        for position in bad { contents[position] = garbage }
        var options = try Self.evaluation()
        options.maximumBadShare = 0.1
        options.workers = workers
        options.prefetch = 10
        let loader = try BatchLoader(dataset(contents), options: options)
        var positions: [Int] = []
        let found = code {
            while let batch = try loader.next() {
                positions += batch.positions
                let before = bad.filter { $0 <= (batch.positions.last ?? 0) }
                #expect(loader.skipped.map { $0.name } == before.map { "sample \($0)" })
            }
        }
        #expect(found == .tooManyBad)
        #expect(positions == (0..<36).filter { !bad.contains($0) })
        #expect(loader.skipped.count == 5)
    }

    @Test("ends with an error where no picture is good, even where all may be bad")
    func findsNothing() throws {
        var options = try Self.options(batch: 2)
        options.maximumBadShare = 1
        let loader = try BatchLoader(dataset([garbage, garbage, garbage]), options: options)
        do {
            _ = try epoch(loader, 0)
            Issue.record("nothing is thrown")
        } catch let error as DatasetError {
            #expect(error.code == .tooManyBad)
        }
    }

    @Test("reports what sources throw as bad samples")
    func reportsSources() throws {
        let full = dataset([try plain(1), try plain(2), try plain(3)])
        let gone = Sample(name: "gone", label: 0, place: 77)
        let holed = Dataset(
            name: "holed", classNames: full.classNames, samples: full.samples + [gone],
            source: full.source)
        var options = try Self.evaluation()
        options.maximumBadShare = 0.25
        let loader = try BatchLoader(holed, options: options)
        let positions = try epoch(loader, 0).map { $0.positions }
        #expect(positions == [[0, 1, 2]])
        #expect(
            loader.skipped == [
                SkippedSample(name: "gone", reason: "gone: there is no such place")
            ])
    }

    @Test("ends with an error where the system is short, and holds it against no picture")
    func findsShortages() throws {
        let full = dataset([try plain(1), try plain(2), try plain(3)])
        let short = Dataset(
            name: "short", classNames: full.classNames, samples: full.samples, source: ShortSource()
        )
        for options in [try Self.evaluation(), try Self.options(batch: 2)] {
            let loader = try BatchLoader(short, options: options)
            #expect(code { _ = try loader.next() } == .resourceExhausted)
            #expect(loader.skipped.isEmpty)
        }
        #expect(code { _ = try DatasetStatistics(of: short) } == .resourceExhausted)
        let split = DatasetSplit(training: short, validation: full)
        #expect(code { _ = try DatasetCheck().run(split) } == .resourceExhausted)
    }

    @Test("takes no memory for files above the limit")
    func limitsFiles() throws {
        let folder = try DataFolder()
        for name in ["a/1.jpg", "b/2.jpg"] { try folder.write(try DrawnPictures.jpeg(1), to: name) }
        let large = try folder.write("x", to: "b/3.jpg")
        // A file of holes: reading it all would take 4 GiB.
        let handle = try #require(FileHandle(forWritingAtPath: large))
        try handle.truncate(atOffset: 1 << 32)
        try handle.close()
        let data = try Dataset.open(folder.path)
        var options = try Self.evaluation()
        options.maximumBadShare = 0.5
        let loader = try BatchLoader(data, options: options)
        let positions = try epoch(loader, 0).map { $0.positions }
        #expect(positions == [[0, 1]])
        #expect(
            loader.skipped == [
                SkippedSample(
                    name: "b/3.jpg",
                    reason: "b/3.jpg: expected at most 1073741824 bytes, found 4294967296")
            ])
        let report = try DatasetCheck().run(
            DatasetSplit(training: data, validation: data.selecting([])))
        #expect(report.bad.map { $0.name } == ["b/3.jpg"])
        let elsewhere = try DataFolder()
        let packed = try DatasetPacker().pack(
            folder.path, to: elsewhere.path + "/x.records", maximumBadShare: 0.5)
        #expect(packed.bad.map { $0.name } == ["b/3.jpg"])
    }

    @Test("uses a file with damage inside and counts it, and leaves out one that is cut short")
    func judgesDamage() throws {
        let pixels = (0..<64 * 64 * 3).map { UInt8(truncatingIfNeeded: $0 &* 7919 >> 5) }
        let whole = try encodeJPEG(try Image(width: 64, height: 64, pixels: pixels))
        var bytes: [UInt8] = []
        let span = whole.bytes
        for index in span.indices { bytes.append(span[index]) }
        let cut = Memory(copying: Array(bytes[..<(bytes.count / 2)]))
        // Bytes that belong to nothing before the end: Pillow decodes such a file without a word.
        let padded = Memory(copying: Array(bytes.dropLast(2)) + [1, 2, 3, 4, 0xFF, 0xD9])
        let contents = [whole, cut, padded].map { SampleContent.encoded($0) }
        var options = try Self.evaluation(size: 32)
        options.maximumBadShare = 0.5
        let loader = try BatchLoader(dataset(contents), options: options)
        let positions = try epoch(loader, 0).map { $0.positions }
        #expect(positions == [[0, 2]])
        #expect(loader.skipped.map { $0.name } == ["sample 1"])
        #expect(loader.damaged.map { $0.name } == ["sample 2"])
    }

    @Test("repeats each picture in a row where asked to, with other changes each time")
    func repeats() throws {
        let shapes = Shapes.split(training: 30, validation: 0, size: 16).training
        var options = try Self.options(batch: 10)
        options.repeats = 3
        let batches = try epoch(try BatchLoader(shapes, options: options), 0)
        let positions = batches.flatMap { $0.positions }
        #expect(positions.count == 30)
        #expect(Set(positions).count == 10)
        for index in stride(from: 0, to: 30, by: 3) {
            #expect(positions[index] == positions[index + 1])
            #expect(positions[index] == positions[index + 2])
        }
        let first = batches[0].images
        let pictures = (0..<3).map { first.rows($0..<$0 + 1).elements(UInt8.self) }
        #expect(pictures[0] != pictures[1] && pictures[1] != pictures[2])
    }

    @Test("mixes as asked for, the same again at the same step")
    func mixes() throws {
        let shapes = Shapes.split(training: 32, validation: 0, size: 16).training
        var options = try Self.options(batch: 8)
        options.mixing = BatchMixing(mixUpAlpha: 0.2, cutMixAlpha: 1)
        let batches = try epoch(try BatchLoader(shapes, options: options), 2)
        for batch in batches {
            let shares = try #require(batch.distributions)
            #expect(shares.shape == [8, 10])
            let values = shares.floats()
            for row in 0..<8 {
                let sum = values[row * 10..<row * 10 + 10].reduce(0, +)
                #expect(abs(sum - 1) < 1e-6)
            }
        }
        let again = try epoch(try BatchLoader(shapes, options: options), 2, from: 2)
        #expect(checksum(again[0]) == checksum(batches[2]))
        let (found, expected) = (
            again[0].distributions?.floats(), batches[2].distributions?.floats()
        )
        #expect(found == expected)
    }

    @Test("refuses numbers that make no sense")
    func refuses() throws {
        let three = dataset([try plain(1), try plain(2), try plain(3)])
        var options = try Self.options(batch: 3)
        _ = try BatchLoader(three, options: options)
        for change: (inout LoaderOptions) -> Void in [
            { $0.batch = 4 }, { $0.batch = 0 }, { $0.workers = 0 }, { $0.prefetch = 0 },
            { $0.repeats = 0 }, { $0.maximumBadShare = -0.1 },
            { $0.mixing = BatchMixing(mixUpAlpha: -1) },
        ] {
            var changed = options
            change(&changed)
            expectRefusal(three, changed)
        }
        options.batch = 1
        expectRefusal(dataset([]), options)
    }

    private func expectRefusal(_ dataset: Dataset, _ options: LoaderOptions) {
        do throws(DatasetError) {
            _ = try BatchLoader(dataset, options: options)
            Issue.record("nothing is refused")
        } catch {
            #expect(error.code == .invalidOption)
        }
    }

    @Test("stops its workers when it goes, with batches under way")
    func stops() throws {
        let source = WatchedSource()
        let samples = (0..<64).map { Sample(name: "\($0)", label: 0, place: $0) }
        let data = Dataset(name: "watched", classNames: ["a"], samples: samples, source: source)
        for _ in 0..<5 {
            let loader = try BatchLoader(data, options: try Self.options(workers: 3))
            let batch = try loader.next()
            #expect(batch != nil)
        }
        #expect(source.readerCount > 0)
        // Threads that nobody waits for end on their own, soon; the limit is for one that does not.
        let limit = ContinuousClock.now + .seconds(60)
        while !source.livingReaders.isEmpty, ContinuousClock.now < limit { sched_yield() }
        #expect(source.livingReaders.isEmpty)
    }
}
