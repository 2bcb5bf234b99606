import ModelFormats
import Tensors
import TestSupport
import Testing

@Suite("Loading into a model")
struct LoadReportTests {
    private func tensor(_ name: String, _ shape: Shape) -> NamedTensor {
        NamedTensor(
            name: name,
            tensor: HostTensor([Float](repeating: 1, count: shape.elementCount), shape: shape))
    }

    private func file(_ tensors: [NamedTensor]) throws -> WeightFile {
        let folder = try TemporaryFolder()
        try Safetensors.write(tensors: tensors, to: folder.file("w"))
        return try WeightFile(contentsOf: folder.file("w"))
    }

    @Test(
        "takes both of NVIDIA's generations of names, with and without data parallel, and Hugging Face's",
        arguments: [
            ("conv1.weight", "conv1.weight"), ("module.conv1.weight", "conv1.weight"),
            ("module.module.fc.bias", "fc.bias"), ("_orig_mod.fc.bias", "fc.bias"),
            ("module._orig_mod.bn1.bias", "bn1.bias"),
            ("layers.0.0.conv1.weight", "layer1.0.conv1.weight"),
            ("module.layers.3.2.bn3.running_var", "layer4.2.bn3.running_var"),
            ("layer1.0.conv1.weight", "layer1.0.conv1.weight"),
            ("resnet.embedder.embedder.convolution.weight", "conv1.weight"),
            ("module.resnet.embedder.embedder.normalization.bias", "bn1.bias"),
            (
                "resnet.encoder.stages.3.layers.2.layer.1.convolution.weight",
                "layer4.2.conv2.weight"
            ),
            (
                "encoder.stages.0.layers.0.layer.2.normalization.running_var",
                "layer1.0.bn3.running_var"
            ),
            (
                "resnet.encoder.stages.1.layers.0.shortcut.convolution.weight",
                "layer2.0.downsample.0.weight"
            ),
            (
                "resnet.encoder.stages.1.layers.0.shortcut.normalization.num_batches_tracked",
                "layer2.0.downsample.1.num_batches_tracked"
            ),
            ("classifier.1.weight", "fc.weight"), ("classifier.2.weight", "classifier.2.weight"),
            (
                "resnet.encoder.stages.1.convolution.weight",
                "resnet.encoder.stages.1.convolution.weight"
            ),
            ("resnet.", "resnet."), ("resnet", "resnet"),
            ("convolution.weight", "convolution.weight"),
            ("layers.x.conv1", "layers.x.conv1"), ("layers.0", "layers.0"),
            ("layers.10.0.a", "layers.10.0.a"), ("module.", ""), ("n_averaged", "n_averaged"),
        ])
    func names(found: String, canonical: String) {
        #expect(canonicalParameterName(found) == canonical)
        #expect(canonicalParameterNames([found, found]) == [canonical, canonical])
    }

    @Test("reports what was applied, missing, unused and mismatched")
    func report() throws {
        let file = try file([
            tensor("module.conv1.weight", [2, 3]), tensor("module.layers.0.0.bn1.bias", [4]),
            tensor("module.fc.bias", [7]), tensor("extra", [1]),
        ])
        let (parameters, report) = load(
            file,
            expecting: [
                ("conv1.weight", [2, 3]), ("layer1.0.bn1.bias", [4]), ("fc.bias", [5]),
                ("fc.weight", [5, 2]), ("bn1.num_batches_tracked", []),
            ])
        #expect(report.applied == ["conv1.weight", "layer1.0.bn1.bias"])
        #expect(report.missing == ["fc.weight"])
        #expect(report.unused == ["extra"])
        #expect(report.mismatched == [.init(name: "fc.bias", expected: [5], found: [7])])
        #expect(!report.isComplete)
        #expect(Set(parameters.keys) == ["conv1.weight", "layer1.0.bn1.bias"])
        #expect(parameters["layer1.0.bn1.bias"]?.floats() == [1, 1, 1, 1])
        #expect(report.description.contains("mismatched: fc.bias: expected [5], found [7]"))
    }

    @Test("prefers the exact name and leaves the other unused")
    func exactName() throws {
        let file = try file([tensor("fc.bias", [3]), tensor("module.fc.bias", [4])])
        let (parameters, report) = load(file, expecting: [("fc.bias", [3])])
        #expect(parameters["fc.bias"]?.shape == [3])
        #expect(report.unused == ["module.fc.bias"])
        #expect(report.isComplete && !report.isExact)
    }

    @Test("is exact where everything fits")
    func exact() throws {
        let file = try file([tensor("fc.bias", [3])])
        let report = load(file, expecting: [("fc.bias", [3])]).report
        #expect(report.isExact)
        #expect(report.description == "1 applied, 0 missing, 0 unused, 0 mismatched")
    }
}
