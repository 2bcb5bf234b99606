import ResNetModel
import Tensors
import Testing

@Suite("Recognition of a file's network")
struct RecognitionTests {
    private func shapes(_ architecture: ResNetArchitecture) -> [String: Shape] {
        Dictionary(
            uniqueKeysWithValues: architecture.parameterList.map { ($0.name, $0.shape) })
    }

    private func failure(
        _ shapes: [String: Shape], _ metadata: [String: String] = [:]
    ) -> ModelError? {
        do throws(ModelError) {
            _ = try ResNetArchitecture.recognise(shapes: shapes, metadata: metadata)
            return nil
        } catch {
            return error
        }
    }

    @Test("tells depth and class count from names and shapes", arguments: Depth.allCases)
    func depths(depth: Depth) throws {
        let architecture = ResNetArchitecture(depth: depth, classCount: 37)
        #expect(try ResNetArchitecture.recognise(shapes: shapes(architecture)) == architecture)
    }

    static let variants: [(metadata: [String: String], variant: Variant)] = [
        ([:], .v1_5), (["variant": "v1"], .v1), (["variant": "V1.5"], .v1_5),
        (["arch": "resnet50 v1"], .v1), (["arch": "resnet50v1.5"], .v1_5),
        (["arch": "resnet50_v1_5"], .v1_5), (["architecture": "resnet50_v1_224"], .v1),
        (["arch": "resnet50"], .v1_5), (["model": "resnet50-v10"], .v1_5),
        (["arch": "resnet50 v1", "variant": "v1.5"], .v1_5), (["note": "v1"], .v1_5),
    ]

    @Test("takes the variant from the metadata", arguments: variants.indices)
    func variant(index: Int) throws {
        let (metadata, variant) = Self.variants[index]
        let found = try ResNetArchitecture.recognise(
            shapes: shapes(ResNetArchitecture()), metadata: metadata)
        #expect(found.variant == variant, "\(metadata)")
    }

    @Test("tolerates tensors that are missing or more")
    func incomplete() throws {
        var shapes = shapes(ResNetArchitecture())
        shapes["bn1.running_mean"] = nil
        shapes["layer3.2.conv1.weight"] = nil
        shapes["bn1.num_batches_tracked"] = []
        shapes["layer3.9999999999999999999.conv1.weight"] = [1]
        #expect(try ResNetArchitecture.recognise(shapes: shapes) == ResNetArchitecture())
    }

    @Test("names the relatives that it does not build")
    func relatives() throws {
        var resNeXt = shapes(ResNetArchitecture())
        resNeXt["layer1.0.conv1.weight"] = [128, 64, 1, 1]
        resNeXt["layer1.0.conv2.weight"] = [128, 4, 3, 3]
        var wide = shapes(ResNetArchitecture())
        wide["layer1.0.conv1.weight"] = [128, 64, 1, 1]
        wide["layer1.0.conv2.weight"] = [128, 128, 3, 3]
        var squeezing = shapes(ResNetArchitecture())
        squeezing["layer1.0.se.fc1.weight"] = [16, 256]
        var deep = shapes(ResNetArchitecture())
        deep["conv1.weight"] = nil
        deep["conv1.0.weight"] = [32, 3, 3, 3]
        var other = shapes(ResNetArchitecture())
        other["layer4.3.conv1.weight"] = [512, 2048, 1, 1]
        let cases = [
            (resNeXt, "32 groups (ResNeXt)"), (wide, "wide ResNets"), (squeezing, "squeeze"),
            (deep, "conv1.0.weight"), (other, "[3, 4, 6, 4] bottlenecks"),
        ]
        for (shapes, message) in cases {
            let error = try #require(failure(shapes))
            #expect(error.code == .unsupportedArchitecture, "\(error)")
            #expect(error.message.contains(message), "\(error)")
        }
    }

    @Test("says what does not fit")
    func mistakes() throws {
        #expect(failure([:])?.code == .notRecognised)
        let stranger = try #require(failure(["embedding.weight": [10, 10]]))
        #expect(stranger.code == .notRecognised)
        #expect(stranger.message.contains("embedding.weight"))

        var headless = shapes(ResNetArchitecture())
        headless["fc.weight"] = nil
        #expect(failure(headless)?.code == .notRecognised)
        headless["fc.weight"] = [2048]
        #expect(failure(headless)?.message.contains("found [2048]") == true)

        var misshapen = shapes(ResNetArchitecture())
        misshapen["layer3.0.conv2.weight"] = [256, 128, 3, 3]
        misshapen["fc.bias"] = [999]
        let error = try #require(failure(misshapen))
        #expect(error.code == .shapeMismatch)
        #expect(
            error.message == """
                layer3.0.conv2.weight: expected [256, 256, 3, 3], found [256, 128, 3, 3] (and 1 more); \
                the file may hold another network than ResNet-50 v1.5
                """)
        misshapen = shapes(ResNetArchitecture())
        misshapen["conv1.weight"] = [64]
        #expect(failure(misshapen)?.code == .shapeMismatch)
        misshapen = shapes(ResNetArchitecture())
        misshapen["layer1.0.conv1.weight"] = [0, 0, 0, 0]
        misshapen["layer1.0.conv2.weight"] = [0, 0, 0, 0]
        #expect(failure(misshapen)?.code == .shapeMismatch)

        let variant = try #require(failure(shapes(ResNetArchitecture()), ["variant": "v2"]))
        #expect(variant.code == .invalidOption)
        #expect(variant.message.contains("found v2"))
    }
}
