import Foundation
import ModelFormats
import Native
import SwiftProtobuf
import Tensors
import Testing

@Suite("ONNX models")
struct ONNXTests {
    static func path(_ name: String) -> String { "\(Fixtures.folder)/onnx/\(name)" }

    /// A fixture's message, to be changed.
    static func model(_ name: String = "torchvision") throws -> ONNXModelProto {
        try ONNXModelProto(serializedBytes: Fixtures.bytes(path("\(name).onnx")))
    }

    /// How reading a changed fixture fails.
    static func failure(
        _ name: String = "torchvision", _ change: (inout ONNXGraphProto) -> Void
    ) throws -> ModelFormatError? {
        var model = try model(name)
        var graph = try #require(model.graph.first)
        change(&graph)
        model.graph = [graph]
        let bytes: [UInt8] = try model.serializedBytes()
        do throws(ModelFormatError) {
            _ = try WeightFile(reading: Memory(copying: bytes), name: "model.onnx")
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "give the tensors that are in them, under torchvision's names, bit for bit",
        arguments: [
            ("torchvision", "torchvision", 1), ("folded", "folded", 2),
            ("tensorflow", "tensorflow", 2),
            ("half", "half", 2), ("external", "torchvision", 1),
        ])
    func tensors(name: String, expected: String, noteCount: Int) throws {
        let file = try WeightFile(contentsOf: Self.path("\(name).onnx"))
        let wanted = try WeightFile(contentsOf: Self.path("\(expected).safetensors"))
        #expect(file.container == .onnx)
        let names = Set(file.tensors.map(\.name))
        let wantedNames = Set(wanted.tensors.map(\.name))
        #expect(names == wantedNames)
        #expect(file.tensors.count == names.count)
        for tensor in file.tensors {
            let other = try #require(wanted.tensors.first { $0.name == tensor.name }).tensor
            #expect(tensor.tensor.shape == other.shape, "\(tensor.name)")
            #expect(tensor.tensor.elementType == other.elementType, "\(tensor.name)")
            let isSame = tensor.tensor.memory.array == other.memory.array
            #expect(isSame, "\(tensor.name)")
        }
        #expect(file.notes.count >= noteCount, "\(file.notes)")
    }

    @Test("tell variant, padding and what else they say")
    func facts() throws {
        let torchvision = try WeightFile(contentsOf: Self.path("torchvision.onnx"))
        #expect(torchvision.metadata["variant"] == "v1.5")
        #expect(torchvision.metadata["padding"] == nil)
        #expect(torchvision.metadata["class_names"] == "[\"a\",\"b\",\"c\",\"d\",\"e\"]")
        #expect(torchvision.notes == ["operators of version 17, written by fixtures 1"])
        let tensorflow = try WeightFile(contentsOf: Self.path("tensorflow.onnx"))
        #expect(tensorflow.metadata["variant"] == "v1")
        #expect(tensorflow.metadata["padding"] == "tensorflow")
        #expect(tensorflow.notes.contains("softmax inside is left out"))
        let folded = try WeightFile(contentsOf: Self.path("folded.onnx"))
        #expect(folded.metadata["variant"] == nil)
        #expect(folded.notes.contains { $0.hasPrefix("8 batch norms are folded") })
        let half = try WeightFile(contentsOf: Self.path("half.onnx"))
        #expect(half.notes.contains("pictures are normalised inside"))
    }

    @Test("that normalise inside say how, whatever their texts say")
    func normalization() throws {
        let plain = try WeightFile(contentsOf: Self.path("half.onnx"))
        #expect(plain.metadata["mean"] == "0.485,0.456,0.406")
        #expect(plain.metadata["std"] == "0.229,0.224,0.225")
        var model = try Self.model("half")
        for (key, value) in [("mean", "0.5,0.5,0.5"), ("std", "0.5,0.5,0.5")] {
            var text = ONNXStringStringEntryProto()
            text.key = key
            text.value = value
            model.metadataProps.append(text)
        }
        let bytes: [UInt8] = try model.serializedBytes()
        let file = try WeightFile(reading: Memory(copying: bytes), name: "model.onnx")
        #expect(file.metadata["mean"] == plain.metadata["mean"])
        #expect(file.metadata["std"] == plain.metadata["std"])
    }

    @Test("that scale their scores inside say that this is left out, unless it is a temperature")
    func scale() throws {
        func notes(temperature: String?) throws -> [String] {
            var model = try Self.model()
            var number = ONNXTensorProto()
            number.name = "number"
            number.dataType = 1
            number.floatData = [2]
            model.graph[0].initializer.append(number)
            model.graph[0].node.append(Self.node("Div", ["logits", "number"], "scaled"))
            if let temperature {
                var text = ONNXStringStringEntryProto()
                text.key = "temperature"
                text.value = temperature
                model.metadataProps.append(text)
            }
            let bytes: [UInt8] = try model.serializedBytes()
            return try WeightFile(reading: Memory(copying: bytes), name: "model.onnx").notes
        }
        let note = "scores are scaled inside by 2.0; that is left out"
        #expect(try notes(temperature: nil).contains(note))
        #expect(try notes(temperature: "2.0").contains(note) == false)
    }

    @Test("without a producer are told by what follows, whatever that is")
    func firstBytes() throws {
        var model = try Self.model()
        model.producerName = ""
        model.producerVersion = ""
        let whole: [UInt8] = try model.serializedBytes()
        // A domain, the model's own version, a description.
        for field: [UInt8] in [[0x22, 1, 0x61], [0x28, 7], [0x32, 1, 0x61]] {
            let bytes = Array(whole[..<2]) + field + Array(whole[2...])
            let file = try WeightFile(reading: Memory(copying: bytes), name: "model.onnx")
            #expect(file.container == .onnx)
        }
    }

    @Test("hold no averaged weights")
    func noAverage() {
        let error = #expect(throws: ModelFormatError.self) {
            try WeightFile(contentsOf: Self.path("torchvision.onnx"), selection: .ema)
        }
        #expect(error?.code == .noWeights)
    }

    /// A network whose max pooling alone is padded by TensorFlow's rule.
    private static func poolPadded(
        classCount: Int, said: [String: String] = [:]
    ) throws -> WeightFile {
        var model = try Self.model()
        let place = try #require(model.graph[0].node.firstIndex { $0.opType == "MaxPool" })
        for index in model.graph[0].node[place].attribute.indices
        where model.graph[0].node[place].attribute[index].name == "pads" {
            model.graph[0].node[place].attribute[index].ints = [0, 0, 1, 1]
        }
        change("v101", &model.graph[0]) { weight in
            weight.dims[0] = Int64(classCount)
            weight.rawData = Data(count: 4 * classCount * Int(weight.dims[1]))
        }
        change("v102", &model.graph[0]) { bias in
            bias.dims[0] = Int64(classCount)
            bias.rawData = Data(count: 4 * classCount)
        }
        for (key, value) in said {
            var text = ONNXStringStringEntryProto()
            text.key = key
            text.value = value
            model.metadataProps.append(text)
        }
        let bytes: [UInt8] = try model.serializedBytes()
        return try WeightFile(reading: Memory(copying: bytes), name: "model.onnx")
    }

    @Test("with padding by TensorFlow's rule at the max pooling alone say so")
    func poolPadding() throws {
        let file = try Self.poolPadded(classCount: 5)
        #expect(file.metadata["padding"] == "tensorflow-pooling")
        #expect(file.metadata["mean"] == nil)
        #expect(file.metadata["class_offset"] == nil)
    }

    @Test("of TensorFlow's official ResNet say how pictures are prepared, unless they said so")
    func official() throws {
        let file = try Self.poolPadded(classCount: 1001)
        func numbers(_ key: String) -> [Double] {
            (file.metadata[key] ?? "").split(separator: ",").compactMap { Double($0) }
        }
        let means = numbers("mean").map { ($0 * 25500).rounded() / 100 }
        #expect(means == [123.68, 116.78, 103.94])
        let deviations = numbers("std").map { $0 * 255 }
        #expect(deviations == [1, 1, 1])
        #expect(file.metadata["class_offset"] == "1")
        let isNoted = file.notes.contains { $0.contains("official ResNet") }
        #expect(isNoted)
        let other = try Self.poolPadded(
            classCount: 1001, said: ["mean": "0.5,0.5,0.5", "std": "0.5,0.5,0.5"])
        #expect(other.metadata["mean"] == "0.5,0.5,0.5")
        #expect(other.metadata["class_offset"] == nil)
    }

    /// A change that makes another network, the code it gives, and a part of the message.
    struct Refusal: CustomTestStringConvertible {
        var testDescription: String
        var code: ModelFormatError.Code = .unsupported
        var part: String
        var change: @Sendable (inout ONNXGraphProto) -> Void
    }

    static let refusals: [Refusal] = [
        Refusal(testDescription: "an operator", part: "(Sigmoid)") { graph in
            replaceType("Relu", "Sigmoid", &graph)
        },
        Refusal(testDescription: "an operator of others", part: "com.microsoft") { graph in
            graph.node[0].domain = "com.microsoft"
        },
        Refusal(testDescription: "groups", part: "without groups") { graph in
            setInteger("Conv", "group", 2, &graph)
        },
        Refusal(testDescription: "another padding", part: "a padding as") { graph in
            setIntegers("Conv", "pads", [1, 2, 3, 4], &graph)
        },
        Refusal(testDescription: "another stride", part: "steps of 1 or 2") { graph in
            setIntegers("Conv", "strides", [3, 3], &graph)
        },
        Refusal(testDescription: "a product instead of a sum", part: "Mul of others") { graph in
            replaceType("Add", "Mul", &graph)
        },
        Refusal(testDescription: "two inputs", part: "one input") { graph in
            graph.input.append(graph.input[0])
            graph.input[1].name = "y"
        },
        Refusal(testDescription: "no classifier", code: .noWeights, part: "classifier") { graph in
            graph.node.removeLast()
        },
        Refusal(testDescription: "a missing value", code: .malformed, part: "no earlier node") {
            graph in graph.initializer.removeFirst()
        },
        Refusal(
            testDescription: "two tensors of a name", code: .malformed, part: "two initialisers"
        ) { graph in graph.initializer.append(graph.initializer[0]) },
        Refusal(testDescription: "a tensor that is too short", code: .sizeMismatch, part: "bytes") {
            graph in graph.initializer[0].rawData.removeLast()
        },
        Refusal(testDescription: "a shape beyond 63 bits", code: .sizeMismatch, part: "63 bits") {
            graph in graph.initializer[0].dims = [.max, .max]
        },
        Refusal(testDescription: "negative extents", code: .sizeMismatch, part: "at least 0") {
            graph in graph.initializer[0].dims = [-1, 3, 7, 7]
        },
        Refusal(testDescription: "texts as elements", part: "type 8") { graph in
            graph.initializer[0].dataType = 8
        },
        Refusal(testDescription: "a segment", part: "are not read") { graph in
            graph.initializer[0].segment = [graph.initializer[0].rawData]
        },
        Refusal(testDescription: "sparse tensors", part: "sparse") { graph in
            graph.sparseInitializer = [graph.initializer[0].rawData]
        },
        Refusal(testDescription: "an empty filter of huge extents", part: "a filter of") { graph in
            graph.initializer[0].dims = [1 << 40, 3, 0, 0]
            graph.initializer[0].rawData = Data()
        },
        Refusal(testDescription: "an empty classifier", part: "floating-point numbers") { graph in
            change("v101", &graph) { tensor in
                tensor.dims = [1 << 40, 0]
                tensor.rawData = Data()
            }
        },
        Refusal(
            testDescription: "an empty tensor of huge extents, transposed", part: "only ResNets"
        ) { graph in
            graph.node.insert(contentsOf: emptyTransposition(graph), at: 0)
        },
        Refusal(testDescription: "a tensor of many axes", part: "at most 8 axes, found 9") {
            graph in
            graph.initializer[0].dims += [1, 1, 1, 1, 1]
        },
        Refusal(testDescription: "a constant of many axes", part: "at most 8 axes, found 9") {
            graph in
            var value = ONNXAttributeProto()
            value.name = "value"
            value.t = [graph.initializer[0]]
            value.t[0].dims += [1, 1, 1, 1, 1]
            var constant = node("Constant", [], "many")
            constant.attribute = [value]
            graph.node.insert(constant, at: 0)
        },
        Refusal(testDescription: "zeros before a batch norm", part: "zeros right before a window") {
            graph in pad(0, 0, &graph)
        },
        Refusal(testDescription: "zeros before a sum", part: "zeros right before a window") {
            graph in
            let place = graph.node.firstIndex { $0.opType == "Add" } ?? 0
            pad(place - 1, 0, &graph)
        },
        Refusal(testDescription: "zeros before pixels less a mean", part: "zeros before Sub") {
            graph in
            var mean = ONNXTensorProto()
            mean.name = "mean"
            mean.dataType = 1
            mean.floatData = [0.5]
            graph.initializer.append(mean)
            graph.node.insert(node("Sub", [graph.input[0].name, "mean"], "less"), at: 0)
            graph.node[1].input[0] = "less"
            graph.node.insert(node("Identity", [graph.input[0].name], "same"), at: 0)
            graph.node[1].input[0] = "same"
            pad(0, 0, &graph)
        },
        Refusal(
            testDescription: "minus infinity before a convolution", part: "minus infinity"
        ) { graph in
            let place = graph.node.lastIndex { $0.opType == "Conv" } ?? 0
            let before = graph.node[..<place].lastIndex { $0.opType == "Relu" } ?? 0
            pad(before, -.infinity, &graph)
        },
        Refusal(
            testDescription: "too many channels", code: .limitExceeded, part: "channels"
        ) { graph in
            graph.initializer[0].dims = [20_000, 1, 1, 1]
            graph.initializer[0].rawData = Data(count: 80_000)
        },
        Refusal(testDescription: "external data without a file", code: .missingEntry, part: "given")
        {
            graph in graph.initializer[0].dataLocation = .external
        },
    ]

    @Test("of other networks, and broken ones, are refused by name", arguments: refusals)
    func refused(refusal: Refusal) throws {
        let error = try #require(try Self.failure("torchvision", refusal.change))
        #expect(error.code == refusal.code, "\(error.message)")
        let isNamed = error.message.contains(refusal.part)
        #expect(isNamed, "\(error.message)")
    }

    @Test("with a forged place of elements read what is there instead")
    func forgedPlace() throws {
        // The field is ours alone: in a file it is passed over.
        let error = try Self.failure { graph in graph.initializer[0].place = [9, 0, 1 << 40] }
        #expect(error == nil)
    }

    @Test(
        "of endless nodes, and of megabytes beside the tensors, are refused before they are decoded"
    )
    func limits() throws {
        var many = try Self.model()
        many.graph[0].node += [ONNXNodeProto](repeating: ONNXNodeProto(), count: 250_000)
        let manyBytes: [UInt8] = try many.serializedBytes()
        #expect(ModelFormatsTests.failure(reading: manyBytes) == .limitExceeded)
        var large = try Self.model()
        large.graph[0].node[0].name = String(repeating: "x", count: 5 << 20)
        let largeBytes: [UInt8] = try large.serializedBytes()
        #expect(ModelFormatsTests.failure(reading: largeBytes) == .limitExceeded)
    }

    /// Changes an initialiser.
    static func change(
        _ name: String, _ graph: inout ONNXGraphProto, _ change: (inout ONNXTensorProto) -> Void
    ) {
        for index in graph.initializer.indices where graph.initializer[index].name == name {
            change(&graph.initializer[index])
        }
    }

    /// A node of an operator.
    static func node(_ type: String, _ inputs: [String], _ output: String) -> ONNXNodeProto {
        var node = ONNXNodeProto()
        node.opType = type
        node.input = inputs
        node.output = [output]
        return node
    }

    /// An attribute of whole numbers.
    static func integers(_ name: String, _ values: [Int64]) -> ONNXAttributeProto {
        var attribute = ONNXAttributeProto()
        attribute.name = name
        attribute.type = .ints
        attribute.ints = values
        return attribute
    }

    /// Nodes that add a transposed tensor without elements to the picture.
    private static func emptyTransposition(_ graph: ONNXGraphProto) -> [ONNXNodeProto] {
        var constant = node("Constant", [], "empty")
        var tensor = ONNXTensorProto()
        tensor.dataType = 1
        tensor.dims = [0, 1 << 40, 1 << 40]
        var value = ONNXAttributeProto()
        value.name = "value"
        value.t = [tensor]
        constant.attribute = [value]
        var transposition = node("Transpose", ["empty"], "turned")
        transposition.attribute = [integers("perm", [2, 1, 0])]
        return [constant, transposition, node("Add", [graph.input[0].name, "turned"], "sum")]
    }

    /// Puts a node behind another that adds a row and a column of a number at each side.
    private static func pad(_ place: Int, _ value: Float, _ graph: inout ONNXGraphProto) {
        var number = ONNXAttributeProto()
        number.name = "value"
        number.type = .float
        number.f = value
        var padding = node("Pad", ["unpadded"], graph.node[place].output[0])
        padding.attribute = [integers("pads", [0, 0, 1, 1, 0, 0, 1, 1]), number]
        graph.node[place].output[0] = "unpadded"
        graph.node.insert(padding, at: place + 1)
    }

    /// A tensor of float16 whose elements are numbers of the message.
    private static func numbers(_ extents: [Int64]) -> ONNXTensorProto {
        var tensor = ONNXTensorProto()
        tensor.name = "numbers"
        tensor.dataType = 10
        tensor.dims = extents
        tensor.int32Data = [Int32](repeating: 1, count: Int(extents.reduce(1, *)))
        return tensor
    }

    @Test("of nodes that share a tensor of the message copy it some times, but not without end")
    func sharing() throws {
        // What only extents are made of is not read at all.
        let extents = try Self.failure { graph in
            graph.initializer.append(Self.numbers([1 << 18]))
            graph.node.insert(Self.node("Shape", [graph.input[0].name], "extents"), at: 0)
            for index in 0..<1000 {
                graph.node.insert(
                    Self.node("Add", ["extents", "numbers"], "unused\(index)"), at: 1)
            }
        }
        #expect(extents == nil)
        // Filters are copied at each convolution.
        let filters = try Self.failure { graph in
            graph.initializer.append(Self.numbers([1 << 9, 1 << 9, 1, 1]))
            for index in 0..<290 {
                graph.node.insert(
                    Self.node("Conv", [graph.input[0].name, "numbers"], "unused\(index)"), at: 0)
            }
        }
        #expect(filters?.code == .limitExceeded, "\(filters?.message ?? "")")
        let isOfCopies = filters?.message.contains("elements to copy") ?? false
        #expect(isOfCopies)
    }

    private static func replaceType(
        _ old: String, _ new: String, _ graph: inout ONNXGraphProto
    ) {
        for index in graph.node.indices where graph.node[index].opType == old {
            graph.node[index].opType = new
        }
    }

    private static func setInteger(
        _ type: String, _ name: String, _ value: Int64, _ graph: inout ONNXGraphProto
    ) {
        var attribute = ONNXAttributeProto()
        attribute.name = name
        attribute.type = .int
        attribute.i = value
        for index in graph.node.indices where graph.node[index].opType == type {
            graph.node[index].attribute.insert(attribute, at: 0)
        }
    }

    private static func setIntegers(
        _ type: String, _ name: String, _ values: [Int64], _ graph: inout ONNXGraphProto
    ) {
        for index in graph.node.indices where graph.node[index].opType == type {
            graph.node[index].attribute.insert(integers(name, values), at: 0)
        }
    }
}
