import Datasets
import Native
import Tensors
import Testing

@Suite("Splits by content")
struct ContentSplitTests {
    private func folder(
        _ counts: [Int], name: (Int, Int) -> String = { "c\($0)/\($1).jpg" }
    ) throws -> DataFolder {
        let folder = try DataFolder()
        for (label, count) in counts.enumerated() {
            for number in 0..<count {
                try folder.write("picture \(label) \(number)", to: name(label, number))
            }
        }
        return folder
    }

    @Test("take the same share of each class, and never all of it")
    func shares() throws {
        let folder = try folder([1, 2, 3, 5, 10, 50])
        let split = try DatasetSplit.open(folder.path)
        #expect(split.validation.classCounts == [0, 1, 1, 1, 2, 10])
        #expect(split.training.classCounts == [1, 1, 2, 4, 8, 40])
        let names = Set(split.training.samples.map { $0.name })
        #expect(names.isDisjoint(with: split.validation.samples.map { $0.name }))
        let half = try DatasetSplit.open(
            folder.path, options: DatasetOptions(validationShare: 0.5))
        #expect(half.validation.classCounts == [0, 1, 2, 3, 5, 25])
    }

    @Test("do not depend on names, and do on the seed")
    func names() throws {
        let original = try folder([20, 20])
        let first = try DatasetSplit.open(original.path)
        let renamed = try folder([20, 20]) { label, number in "c\(label)/\(99 - number)-new.jpg" }
        let second = try DatasetSplit.open(renamed.path)
        func contents(_ data: Dataset) throws -> Set<[UInt8]> {
            Set(try data.samples.indices.map { try data.bytes($0) })
        }
        let again = try folder([20, 20])
        let third = try DatasetSplit.open(again.path)
        #expect(try contents(second.validation) == contents(third.validation))
        #expect(first.validation.listing == third.validation.listing)
        let other = try DatasetSplit.open(again.path, options: DatasetOptions(seed: 43))
        #expect(try contents(other.validation) != contents(third.validation))
    }

    @Test("keep pictures with the same bytes on one side, in any number of classes")
    func duplicates() {
        var random = RandomGenerator(seed: 11)
        for _ in 0..<200 {
            let count = 2 + Int(random.next() % 60)
            let kinds = 1 + random.next() % UInt64(count)
            let classCount = 1 + random.next() % 4
            let labels = (0..<count).map { _ in Int(random.next() % classCount) }
            let prints = (0..<count).map { _ in "\(random.next() % kinds)" }
            let split = ContentSplit(options: DatasetOptions(seed: random.next()))
            let chosen = split.choose(labels: labels, prints: prints)
            var sides: [String: Bool] = [:]
            for (print, side) in zip(prints, chosen) {
                let known = sides[print] ?? side
                #expect(known == side)
                sides[print] = side
            }
            // Alone in its class, a picture is learnt from; with others, some are learnt from and some measured by.
            for label in Set(labels) where Set(labels).count == 1 {
                let own = Set(zip(labels, prints).filter { $0.0 == label }.map { $0.1 })
                let measured = own.count { sides[$0] == true }
                #expect(own.count < 2 ? measured == 0 : measured > 0 && measured < own.count)
            }
        }
    }

    @Test("do not give a class's many copies of one picture away")
    func copies() {
        let labels = [Int](repeating: 0, count: 20)
        let prints = [String](repeating: "same", count: 15) + (0..<5).map { "\($0)" }
        for seed in 0..<20 as Range<UInt64> {
            let chosen = ContentSplit(options: DatasetOptions(seed: seed))
                .choose(labels: labels, prints: prints)
            let count = chosen.count { $0 }
            #expect(count == 4 && !chosen[0])
        }
    }

    @Test("are stable in what they choose")
    func stable() throws {
        // A change here changes everybody's split.
        let chosen = ContentSplit(options: DatasetOptions()).choose(
            labels: [Int](repeating: 0, count: 10), prints: (0..<10).map { "print \($0)" })
        let positions = chosen.indices.filter { chosen[$0] }
        #expect(positions == [2, 3])
    }

    @Test("end when asked to")
    func cancels() throws {
        let folder = try DataFolder()
        for number in 0..<4 { try folder.write([UInt8(number)], to: "\(number % 2)/\(number).jpg") }
        let cancellation = Cancellation()
        let split = try DatasetSplit.open(folder.path, cancellation: cancellation)
        #expect(split.training.samples.count == 2)
        cancellation.cancel()
        #expect(
            code { _ = try DatasetSplit.open(folder.path, cancellation: cancellation) }
                == .unreadable)
    }
    @Test("refuse shares that leave one side empty, and data that cannot be split")
    func refuses() throws {
        let folder = try folder([3, 3])
        for share in [0, 1, -0.5, Double.nan] {
            let options = DatasetOptions(validationShare: share)
            #expect(
                code { _ = try DatasetSplit.open(folder.path, options: options) } == .invalidOption)
        }
        let single = try self.folder([1, 1])
        #expect(code { _ = try DatasetSplit.open(single.path) } == .notRecognised)
    }

    @Test("digests change with names, labels and lengths, and with nothing else")
    func digests() throws {
        let folder = try folder([3, 3])
        let digest = try Dataset.open(folder.path).digest()
        #expect(digest.count == 64)
        #expect(try Dataset.open(folder.path).digest() == digest)
        try folder.write("PICTURE 0 0", to: "c0/0.jpg")
        #expect(try Dataset.open(folder.path).digest() == digest)
        try folder.write("picture 0 0 longer", to: "c0/0.jpg")
        let longer = try Dataset.open(folder.path).digest()
        #expect(longer != digest)
        try folder.write("x", to: "c0/new.jpg")
        #expect(try Dataset.open(folder.path).digest() != longer)
    }
}
