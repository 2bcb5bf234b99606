import Inference
import Native
import Testing

@Suite("Class names")
struct ClassNamesTests {
    private func names(_ text: String) throws -> [String] {
        try ClassNames(decoding: Memory(copying: Array(text.utf8)), name: "labels.txt").names
    }

    @Test("hold ImageNet's 1,000, the two cranes apart")
    func imageNet() {
        let names = ClassNames.imageNet.names
        #expect(names.count == 1000)
        #expect(names[0] == "tench, Tinca tinca")
        #expect(names[999] == "toilet tissue, toilet paper, bathroom tissue")
        #expect(names.indices.filter { names[$0] == "crane" } == [134, 517])
    }

    @Test("are read one a line, ends and blanks of lines aside")
    func readsLines() throws {
        #expect(try names("daisy\r\n dandelion \nrose\n\n") == ["daisy", "dandelion", "rose"])
        #expect(try names("a\n\nb") == ["a", "", "b"])
    }

    @Test("are read from JSON: an array, or an object by index")
    func readsJSON() throws {
        #expect(try names(" [\"a\", \"b, c\"]") == ["a", "b, c"])
        #expect(try names("{\"1\": \"b\", \"0\": \"a\"}") == ["a", "b"])
    }

    @Test(
        "that cannot be read are refused",
        arguments: ["", "\n\n", "[1, 2]", "{\"0\": \"a\", \"2\": \"b\"}", "[\"a\""])
    func refuses(text: String) {
        let error = #expect(throws: InferenceError.self) { try names(text) }
        #expect(error?.code == .invalidClassNames)
    }
}

@Suite("Predictions")
struct PredictionTests {
    @Test("are probabilities that sum to one, also of large scores")
    func sums() {
        let probabilities = softmax([1000, 1001, -1000])
        #expect(abs(probabilities.reduce(0, +) - 1) < 1e-12)
        #expect(abs(probabilities[1] - 0.731_058_578_630_004_9) < 1e-12)
        #expect(probabilities[2] == 0)
    }

    @Test("come with the likeliest first, equal ones by index")
    func sorts() {
        let top = topPredictions([1, 3, 2, 3], count: 3, names: ClassNames(["a", "b", "c", "d"]))
        #expect(top.map(\.index) == [1, 3, 2])
        #expect(top.map(\.label) == ["b", "d", "c"])
        #expect(top[0].probability == top[1].probability)
    }

    @Test("are no more than there are classes")
    func stops() {
        #expect(
            topPredictions([0, 1], count: 5, names: .numbered(2)).map(\.label) == [
                "class 1", "class 0",
            ])
    }

    @Test("of TensorFlow's thousand and one classes begin where the file says")
    func thousandAndOne() throws {
        func names(_ metadata: [String: String]) throws -> ClassNames {
            try ClassNames.choose(given: nil, metadata: metadata, count: 1001)
        }
        let nvidia = try names(["class_offset": "0"])
        #expect(nvidia.names[0] == "tench, Tinca tinca")
        #expect(nvidia.names[1000] == "unused")
        let slim = try names(["class_offset": "1"])
        #expect(slim.names[0] == "background")
        #expect(slim.names[1] == "tench, Tinca tinca")
        let unknown = try names([:])
        #expect(unknown == .numbered(1001))
        let firsts = [nvidia, slim, unknown, .imageNet].map { $0.synsets.first?.index }
        #expect(firsts == [0, 1, nil, 0])
        let counts = [nvidia, slim].map { $0.synsets.count }
        #expect(counts == [1000, 1000])
    }
}
