import Images
import ModelFormats
import Native
import ResNetModel
import Tensors

/// A weight file with a ResNet-18 of random weights and ten named classes.
final class TinyModelFile: Sendable {
    private let folder: TemporaryFolder

    /// Its path.
    var path: String { folder.path + "/tiny.safetensors" }

    /// What its classes are called; one name holds what CSV, JSON and HTML have to escape.
    static let names =
        ["dog, \"the\" <dog>"] + (1..<10).map { "class \($0)" }

    init() throws {
        folder = try TemporaryFolder()
        let architecture = ResNetArchitecture(depth: .resNet18, classCount: 10)
        var parameters = architecture.initialParameters(seed: 3)
        // So that the first class is the likeliest, whatever the picture.
        parameters["fc.bias"] = HostTensor([100] + [Float](repeating: 0, count: 9), shape: [10])
        let tensors = architecture.parameterList.compactMap { parameter in
            parameters[parameter.name].map { NamedTensor(name: parameter.name, tensor: $0) }
        }
        let names = JSONNames.array(Self.names)
        try Safetensors.write(tensors: tensors, metadata: ["class_names": names], to: path)
    }

    /// The one that tests share; making it takes a while.
    static let shared = Result { try TinyModelFile() }

    /// A PNG of noise.
    static func png(_ seed: UInt64, width: Int = 40, height: Int = 30) throws -> Memory {
        var random = RandomGenerator(seed: seed)
        let pixels = (0..<width * height * 3).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        return try encodePNG(try Image(width: width, height: height, pixels: pixels))
    }
}

private enum JSONNames {
    static func array(_ names: [String]) -> String {
        let quoted = names.map { name in
            "\"" + name.split(separator: "\"", omittingEmptySubsequences: false)
                .joined(separator: "\\\"") + "\""
        }
        return "[\(quoted.joined(separator: ","))]"
    }
}
