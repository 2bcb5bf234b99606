import Graph
import Tensors
import Testing

@Suite("Text form of graphs")
struct GraphTextTests {
    /// A graph of every operation, with attributes that are not the defaults.
    private func everything() throws -> Graph {
        var builder = GraphBuilder(name: "every operation")
        let image = try builder.input("image", type: TensorType(.uint8, [2, 9, 8, 3]))
        let x = try builder.normalizeImage(
            image, mean: [0.485, 0.456, 0.1 + 0.2], deviation: [0.229, 1e-300, 5e+20],
            label: "pixels # with a mark")
        let filter = try builder.parameter(
            "conv1.weight", type: TensorType(.float32, [4, 3, 3, 2]))
        let bias = try builder.parameter("conv1 \"bias\"\n", type: TensorType(.float32, [4]))
        let plain = try builder.convolution(
            x, filter: filter, stride: Spatial(height: 2, width: 1),
            padding: Padding(top: 0, left: 1, bottom: 2, right: 3), label: " spaces ")
        let biased = try builder.convolution(
            x, filter: filter, bias: bias, stride: Spatial(height: 2, width: 1),
            padding: Padding(top: 0, left: 1, bottom: 2, right: 3), label: "\"quoted\"")
        let added = try builder.convolution(
            x, filter: filter, residual: plain, stride: Spatial(height: 2, width: 1),
            padding: Padding(top: 0, left: 1, bottom: 2, right: 3), activation: .relu,
            label: "größer\t")
        let both = try builder.convolution(
            x, filter: filter, bias: bias, residual: biased,
            stride: Spatial(height: 2, width: 1),
            padding: Padding(top: 0, left: 1, bottom: 2, right: 3), activation: .relu)
        let normalized = try builder.batchNormalization(
            both, scale: bias, shift: bias, mean: bias, variance: bias, epsilon: 1.0 / 3)
        let sum = try builder.add(normalized, added)
        let pooled = try builder.maxPool(
            builder.relu(sum), size: Spatial(height: 3, width: 2),
            stride: Spatial(height: 1, width: 2),
            padding: Padding(top: 2, left: 1, bottom: 0, right: 0))
        let features = try builder.cast(builder.globalAveragePool(pooled), to: .bfloat16)
        let weight = try builder.parameter("fc.weight", type: TensorType(.bfloat16, [5, 4]))
        let fcBias = try builder.parameter("fc.bias", type: TensorType(.float32, [5]))
        let narrow = try builder.dense(features, weight: weight, bias: fcBias)
        let scores = try builder.dense(
            features, weight: weight, bias: fcBias, elementType: .float32)
        try builder.output("narrow", narrow)
        try builder.output("class probabilities", builder.softmax(scores))
        return try builder.finish()
    }

    @Test("reads back exactly what it prints, for every operation")
    func roundTrip() throws {
        for graph in [try everything(), try trainingGraph()] {
            let text = graph.description
            let read = try Graph(text: text)
            #expect(read == graph)
            #expect(read.description == text)
        }
    }

    @Test("is pleasant to read")
    func example() throws {
        var builder = GraphBuilder(name: "stem")
        let image = try builder.input("image", type: TensorType(.uint8, [8, 224, 224, 3]))
        let x = try builder.normalizeImage(
            image, mean: [0.5, 0.5, 0.5], deviation: [0.25, 0.25, 0.25])
        let filter = try builder.parameter(
            "conv1.weight", type: TensorType(.float32, [64, 3, 7, 7]))
        let bias = try builder.parameter("bn1.bias", type: TensorType(.float32, [64]))
        let y = try builder.convolution(
            x, filter: filter, bias: bias, stride: Spatial(2), padding: Padding(3),
            activation: .relu, label: "conv1")
        try builder.output("stem", y)
        #expect(
            try builder.finish().description == """
                graph stem {
                  %0 = input image : uint8[8, 224, 224, 3]
                  %1 = normalizeImage(%0) mean=0.5,0.5,0.5 deviation=0.25,0.25,0.25 : float32[8, 3, 224, 224]
                  %2 = parameter conv1.weight : float32[64, 3, 7, 7]
                  %3 = parameter bn1.bias : float32[64]
                  %4 = convolution(%1, %2, bias: %3) stride=2x2 padding=3,3,3,3 activation=relu : float32[8, 64, 112, 112]  # conv1
                  output stem = %4
                }

                """)
    }

    @Test("allows spaces and empty lines")
    func spacing() throws {
        let graph = try Graph(
            text: """

                graph   g  {

                %0=input x:float32[ 1 ,2 ]\r
                   %1 = relu( %0 ) :float32[1,2]   #   a label

                output  y=%1
                }

                """.replacing("x:float32", with: "x : float32"))
        #expect(graph.nodes.map(\.label) == ["", "a label"])
        #expect(graph.outputs == [GraphOutput(name: "y", value: Value(index: 1))])
    }

    static let mistakes: [(lines: [String], code: GraphError.Code, message: String)] = [
        ([], .missingOutput, "line 2, column 1: graph g: expected at least one output"),
        (["%1 = input x : float32[1]"], .syntax, "line 2, column 3: expected %0"),
        (["%0 = inptu x : float32[1]"], .syntax, "line 2, column 14: expected (, found x"),
        (["%0 = input x : float33[1]"], .syntax, "line 2, column 18: expected an element type"),
        (["%0 = input x : float32[1"], .syntax, "expected ,, found the end of the line"),
        (["%0 = input x : float32[-1]"], .syntax, "expected a whole number, found -1]"),
        (
            ["%0 = input x : float32[99999999999999999999]"], .syntax,
            "line 2, column 26: expected a whole number of at most 63 bits"
        ),
        (
            ["%0 = input x : float32[9999999999, 9999999999]"], .syntax,
            "line 2, column 18: shape [9999999999, 9999999999]"
        ),
        (["%0 = input x : float32[0]"], .invalidAttribute, "line 2, column 8: input x"),
        (["%0 = input x : float32[1] y"], .syntax, "expected the end of the line, found y"),
        (["%0 = input \"x : float32[1]"], .syntax, "column 14: expected a closing quote"),
        (["%0 = input \"\\q\" : float32[1]"], .syntax, "after a backslash"),
        (["%0 = input \"\\u{110000}\" : float32[1]"], .syntax, "after a backslash"),
        (
            ["%0 = input x : float32[1]", "%1 = relu(%1) : float32[1]"], .unknownValue,
            "line 3, column 8: %1: expected a value made earlier"
        ),
        (
            ["%0 = input x : float32[1]", "%1 = relu(%0) : float32[2]"], .shapeMismatch,
            "line 3, column 8: %1: relu gives float32[1], the text states float32[2]"
        ),
        (
            ["%0 = input x : float32[1]", "%1 = sqrt(%0) : float32[1]"], .syntax,
            "line 3, column 8: there is no operation sqrt"
        ),
        (
            ["%0 = input x : float32[1]", "%1 = relu(%0) speed=3 : float32[1]"], .syntax,
            "line 3, column 17: there is no attribute speed"
        ),
        (
            ["%0 = input x : float32[1]", "%1 = relu(%0) stride=1x1 : float32[1]"], .syntax,
            "relu has no attribute stride"
        ),
        (
            ["%0 = input x : float32[1]", "%1 = relu(%0) stride=1x1 stride=1x1 : float32[1]"],
            .syntax, "stride is stated twice"
        ),
        (
            ["%0 = input x : float32[1,1,1,1]", "%1 = maxPool(%0) : float32[1]"], .syntax,
            "maxPool: expected the attribute size"
        ),
        (
            ["%0 = input x : float32[1]", "%1 = add(%0, %0, bias: %0) : float32[1]"], .syntax,
            "add has no operand bias"
        ),
        (
            ["%0 = input x : float32[1]", "%1 = add(%0, fish: %0) : float32[1]"], .syntax,
            "line 3, column 16: expected a value"
        ),
        (
            [
                "%0 = input x : float32[1, 1, 1, 1]",
                "%1 = convolution(%0, %0) stride=1x1 padding=0,0,0,0 activation=tanh : float32[1]",
            ], .syntax, "expected activation none or relu, found tanh"
        ),
        (
            [
                "%0 = input x : float32[1, 1, 1, 1]",
                "%1 = batchNormalization(%0, %0, %0, %0, %0) epsilon=inf : float32[1]",
            ], .syntax, "column 55: expected a finite number, found inf"
        ),
        (
            ["%0 = input x : float32[1]", "output y = %0", "output y = %0"], .duplicateName,
            "line 4, column 3: output y"
        ),
        (
            ["%0 = input x : float32[1]", "result y = %0"], .syntax,
            "expected output or update, found result"
        ),
    ]

    @Test("tells line and column of a mistake", arguments: mistakes.indices)
    func mistake(index: Int) {
        let (lines, code, message) = Self.mistakes[index]
        let text = (["graph g {"] + lines.map { "  " + $0 } + ["}"]).joined(separator: "\n")
        do throws(GraphError) {
            _ = try Graph(text: text)
            Issue.record("expected \(message)")
        } catch {
            #expect(error.code == code, "\(error)")
            #expect(error.message.contains(message), "\(error)")
        }
    }

    @Test(
        "refuses a text that ends early",
        arguments: ["", "graph", "graph g", "graph g {", "graph g {\n", "graph g {}", "{"])
    func earlyEnd(text: String) {
        #expect(throws: GraphError.self) { _ = try Graph(text: text) }
    }

    @Test("never traps on damaged text, and what it accepts verifies")
    func damage() throws {
        let originals = [try everything(), try trainingGraph()].map { Array($0.description.utf8) }
        let alphabet = Array("%(),:=\"\\#{}[]x019.-e \n\u{7f}ab".utf8)
        for seed in 0..<3000 as Range<UInt64> {
            var random = RandomGenerator(seed: seed)
            let original = originals[Int(seed % 2)]
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                let byte = alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = byte
                case 1: bytes.insert(byte, at: place)
                case 2: bytes.remove(at: place)
                default: bytes.removeSubrange(place..<min(place + 40, bytes.count))
                }
                if bytes.isEmpty { bytes = original }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            do throws(GraphError) {
                let graph = try Graph(text: text)
                try graph.verify()
                #expect(try Graph(text: graph.description) == graph, "seed \(seed)")
            } catch {
                #expect(error.message.hasPrefix("line "), "seed \(seed): \(error)")
            }
        }
    }
}
