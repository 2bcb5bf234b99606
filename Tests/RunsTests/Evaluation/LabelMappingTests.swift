import Datasets
import Inference
import Runs
import Testing

@Suite("Label mapping")
struct LabelMappingTests {
    private func dataset(_ names: [String]) -> Dataset {
        Dataset(
            name: "data", classNames: names,
            samples: names.indices.map { Sample(name: "s\($0)", label: $0, place: $0) },
            source: NumberedPictures())
    }

    @Test(
        "finds the network's classes by the first rule that fits all",
        arguments: [
            (["n01443537", "n01440764"], .synsets, [1, 0]),
            (["n01443537-goldfish", "n01440764-tench"], .synsets, [1, 0]),
            (["Goldfish, Carassius auratus", "TENCH, tinca tinca"], .names, [1, 0]),
            (["tench", "great_white_shark", "Carassius auratus"], .words, [0, 2, 1]),
            (["2", "0", "017"], .indices, [2, 0, 17]),
        ] as [([String], LabelMapping.Rule, [Int])])
    func imageNet(names: [String], rule: LabelMapping.Rule, indices: [Int]) throws {
        let mapping = try LabelMapping(from: dataset(names), to: .imageNet)
        #expect(mapping.rule == rule)
        #expect(mapping.classIndices == indices)
        #expect(mapping.explanation.contains("\(names.count) of 1000 classes"))
    }

    @Test("leaves classes of the same names as they are")
    func same() throws {
        let mapping = try LabelMapping(
            from: dataset(["b", "a"]), to: ClassNames(["b", "a"]))
        #expect(mapping.rule == .same)
        #expect(mapping.classIndices == [0, 1])
    }

    @Test("asks nothing of classes without samples, as of the gaps in a list of indices")
    func gaps() throws {
        let names = [
            "class 0", "class 1",
            "great white shark, white shark, man-eater, man-eating shark, Carcharodon carcharias",
            "class 3",
        ]
        let dataset = Dataset(
            name: "list", classNames: names, samples: [Sample(name: "s", label: 2, place: 9)],
            source: NumberedPictures())
        let mapping = try LabelMapping(from: dataset, to: .imageNet)
        #expect(mapping.rule == .same)
        #expect(mapping.classIndices == [nil, nil, 2, nil])
        #expect(mapping.explanation.contains("1 of 1000 classes"))
        let mapped = mapping.apply(to: dataset)
        #expect(mapped.classNames.count == 1000)
        #expect(mapped.samples == [Sample(name: "s", label: 2, place: 9)])
    }

    @Test("tells two classes of one name apart by their places")
    func sameNames() throws {
        let names = (0..<1000).map { ClassNames.imageNet.names[$0] }
        let dataset = Dataset(
            name: "cranes", classNames: names,
            samples: [134, 517].map { Sample(name: "s\($0)", label: $0, place: $0) },
            source: NumberedPictures())
        let mapping = try LabelMapping(from: dataset, to: .imageNet)
        let labels = mapping.apply(to: dataset).samples.map { $0.label }
        #expect(labels == [134, 517])
    }

    @Test("finds classes in another order, and some of them")
    func reorders() throws {
        let mapping = try LabelMapping(
            from: dataset(["rose", "Daisy"]), to: ClassNames(["daisy", "tulip", "rose"]))
        #expect(mapping.classIndices == [2, 0])
        let mapped = mapping.apply(to: dataset(["rose", "Daisy"]))
        #expect(mapped.classNames == ["daisy", "tulip", "rose"])
        let labels = mapped.samples.map { $0.label }
        #expect(labels == [2, 0])
        let places = mapped.samples.map { $0.place }
        #expect(places == [0, 1])
    }

    @Test("takes the order alone where the network's classes have no names and are as many")
    func order() throws {
        let mapping = try LabelMapping(from: dataset(["x", "y"]), to: .numbered(2))
        #expect(mapping.rule == .order)
        #expect(mapping.classIndices == [0, 1])
    }

    @Test(
        "refuses classes that the network has not, or not clearly",
        arguments: [
            // Not in ImageNet.
            ["tench", "zeppelin flown by a cat"],
            // Two classes of ImageNet are called crane.
            ["tench", "crane"],
            // One class twice.
            ["tench", "Tench"],
            // Beyond the last.
            ["1", "1000"],
        ])
    func refuses(names: [String]) {
        let error = #expect(throws: RunError.self) {
            try LabelMapping(from: dataset(names), to: .imageNet)
        }
        #expect(error?.code == .labelMismatch)
        #expect(error?.message.hasPrefix("data: ") == true)
        #expect(error?.message.contains("\"\(names[1])\"") == true)
    }
}
