import ModelFormats
import Tensors
import TestSupport
import Testing

@Suite("Networks in checkpoints of TensorFlow")
struct TensorFlowWeightsTests {
    /// A variable of one number.
    private static func variable(
        _ name: String, _ value: Float, shape: Shape = [1]
    ) -> TensorBundle.Variable {
        .init(name: name, tensor: HostTensor([value], shape: shape))
    }

    private static let block = "n/btlnck_block_0_0/bottleneck_1"
    private static let average = "/ExponentialMovingAverage"

    @Test("averaged while they were trained: averages where there are, the rest as it is")
    func averages() throws {
        let folder = try TemporaryFolder()
        try TensorBundle.write(
            [
                Self.variable("\(Self.block)/conv2d/kernel", 1, shape: [1, 1, 1, 1]),
                Self.variable(
                    "\(Self.block)/conv2d/kernel\(Self.average)", 2, shape: [1, 1, 1, 1]),
                Self.variable("\(Self.block)/conv2d/kernel/Momentum", 3, shape: [1, 1, 1, 1]),
                Self.variable("\(Self.block)/BatchNorm/moving_mean", 4),
                Self.variable("global_step", 5, shape: []),
            ], to: folder.file("model"))
        func read(_ selection: WeightFile.Selection) throws -> [String: [Float]] {
            let file = try WeightFile(contentsOf: folder.file("model"), selection: selection)
            return Dictionary(
                uniqueKeysWithValues: file.tensors.map { ($0.name, $0.tensor.floats()) })
        }
        let averaged = try read(.ema)
        #expect(averaged == ["layer1.0.conv1.weight": [2], "layer1.0.bn1.running_mean": [4]])
        let trained = try read(.default)
        #expect(trained == ["layer1.0.conv1.weight": [1], "layer1.0.bn1.running_mean": [4]])
    }

    @Test("say of themselves what they were written with; damage to that is an error")
    func metadata() throws {
        let folder = try TemporaryFolder()
        let variables = [
            Self.variable("\(Self.block)/conv2d/kernel", 1, shape: [1, 1, 1, 1])
        ]
        func write(_ text: String) throws {
            try TensorBundle.write(
                variables, texts: ["swift_resnet/metadata": text], to: folder.file("model"))
        }
        try write(#"{"padding": "symmetric", "other": [1, {"a": "b"}], "é": "\u00e9\n"}"#)
        let file = try WeightFile(contentsOf: folder.file("model"))
        #expect(file.metadata["padding"] == "symmetric")
        #expect(file.metadata["other"] == nil)
        #expect(file.metadata["é"] == "é\n")
        // NVIDIA's usual facts are not those of a file that says its own.
        #expect(file.metadata["variant"] == nil)
        for text in ["", "[]", #"{"padding": "symmetric""#, "{} {}"] {
            try write(text)
            let error = #expect(throws: ModelFormatError.self) {
                try WeightFile(contentsOf: folder.file("model"))
            }
            #expect(error?.code == .malformed)
        }
    }

    @Test("of which there are two are not mixed but refused, by both names")
    func two() throws {
        let folder = try TemporaryFolder()
        let name = "btlnck_block_0_0/bottleneck_1/conv2d/kernel"
        try TensorBundle.write(
            ["student", "teacher"].map {
                Self.variable("\($0)/\(name)", 1, shape: [1, 1, 1, 1])
            }, to: folder.file("model"))
        let error = #expect(throws: ModelFormatError.self) {
            try WeightFile(contentsOf: folder.file("model"))
        }
        #expect(error?.code == .unsupported)
        let isNamed = error?.message.contains("student/\(name) and teacher/\(name)") ?? false
        #expect(isNamed, "\(error?.message ?? "")")
    }
}
