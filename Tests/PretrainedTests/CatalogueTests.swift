import Native
import Pretrained
import Testing

@Suite("The catalogue of weights")
struct CatalogueTests {
    @Test("names every file once, and by its published hash")
    func isConsistent() throws {
        let all = PretrainedWeights.catalogue
        #expect(Set(all.map(\.name)).count == all.count)
        #expect(Set(all.map(\.fileName)).count == all.count)
        for weights in all {
            #expect(weights.url.hasPrefix("https://"))
            #expect(weights.name.hasPrefix("resnet\(weights.depth)."))
            #expect([18, 34, 50, 101, 152].contains(weights.depth))
            let digits = weights.fileName.split(separator: "-").last?.prefix(8) ?? ""
            switch weights.checksum {
            case .sha256(let hash):
                #expect(hash.count == 64 && hash.allSatisfy(\.isHexDigit))
                #expect(hash.hasPrefix(digits) && digits.count == 8)
            case .sha256Prefix(let prefix):
                #expect(prefix == digits && prefix.count == 8 && prefix.allSatisfy(\.isHexDigit))
            case .unpublished:
                #expect(weights.name == "resnet50.nvidia_in1k")
            }
            // Four bytes a parameter, and a little around them.
            let parameters = [18: 11.69, 34: 21.80, 50: 25.56, 101: 44.55, 152: 60.19]
            let expected = try #require(parameters[weights.depth]) * 4e6
            #expect((0.99...1.02).contains(Double(weights.approximateByteCount) / expected))
            if let byteCount = weights.byteCount {
                #expect(abs(byteCount - weights.approximateByteCount) < 1024)
            }
        }
    }

    @Test("finds weights by name, and holds the default")
    func findsWeights() throws {
        let weights = try PretrainedWeights.named("resnet50.tv2_in1k")
        #expect(weights.fileName == "resnet50-11ad3fa6.pth")
        #expect(weights.evaluation == .init(resize: 232, crop: 224))
        #expect(weights.publishedTop1 == 80.858)
        #expect(weights.licence == "BSD-3-Clause")
        let first = try PretrainedWeights.named(PretrainedWeights.defaultName)
        #expect(first.evaluation == .init(resize: 256, crop: 224))
        #expect(first.byteCount == 102_530_333)
    }

    @Test(
        "says what may have been meant by an unknown name",
        arguments: [
            ("resnet50.tv3_in1k", "did you mean resnet50.tv2_in1k"),
            ("resnet152", "did you mean resnet152.tv_in1k, resnet152.tv2_in1k, resnet152.a1_in1k?"),
            ("ResNet18.a1", "did you mean resnet18.a1_in1k?"),
            ("vgg16", "`resnet weights list` shows all"),
        ])
    func suggests(name: String, hint: String) throws {
        let error = #expect(throws: PretrainedError.self) { try PretrainedWeights.named(name) }
        #expect(error?.code == .unknownName)
        #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
    }

    @Test("compares a hash with all its digits, or with those published")
    func comparesHashes() {
        #expect(PretrainedWeights.Checksum.sha256("abcd").accepts(sha256: "abcd"))
        #expect(!PretrainedWeights.Checksum.sha256("ab").accepts(sha256: "abcd"))
        #expect(PretrainedWeights.Checksum.sha256Prefix("ab").accepts(sha256: "abcd"))
        #expect(!PretrainedWeights.Checksum.sha256Prefix("b").accepts(sha256: "abcd"))
        #expect(PretrainedWeights.Checksum.unpublished.accepts(sha256: "abcd"))
    }
}

@Suite("A transfer's rate")
struct TransferRateTests {
    @Test("begins with the first measurement and follows the later ones")
    func followsMeasurements() throws {
        var rate = TransferRate(byteCount: 1000, time: .zero, window: .seconds(3))
        #expect(rate.bytesPerSecond == nil)
        rate.measure(byteCount: 3000, time: .seconds(1))
        #expect(rate.bytesPerSecond == 2000)
        // One second against a window of three weighs a quarter.
        rate.measure(byteCount: 3000, time: .seconds(2))
        #expect(rate.bytesPerSecond == 1500)
        rate.measure(byteCount: 9000, time: .seconds(2))
        #expect(rate.bytesPerSecond == 1500)
    }

    @Test("gives the time left")
    func givesTimeLeft() {
        let progress = DownloadProgress(
            name: "resnet50.test", phase: .transferring, byteCount: 250, totalByteCount: 1000,
            resumedByteCount: 0, bytesPerSecond: 50)
        #expect(progress.secondsLeft == 15)
        #expect(progress.fraction == 0.25)
    }
}

@Suite("SHA-256")
struct SHA256Tests {
    @Test("gives the digests of FIPS 180-4, in whatever pieces the bytes come")
    func matchesStandard() throws {
        #expect(
            try SHA256().finish()
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        var whole = try SHA256()
        try whole.update(Array("abc".utf8).span)
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(try whole.finish() == abc)
        var pieces = try SHA256()
        try pieces.update(Array("a".utf8).span)
        try pieces.update(Array("".utf8).span)
        try pieces.update(Array("bc".utf8).span)
        #expect(try pieces.finish() == abc)
    }

    @Test("reads a file in pieces, and says which file is not there")
    func hashesFile() throws {
        let folder = try TemporaryFolder()
        let file = TestFile(seed: 8, byteCount: 3_000_000)
        try folder.write(file.bytes, to: "file")
        #expect(try SHA256.ofFile(at: "\(folder.path)/file") == file.sha256())
        let error = #expect(throws: NativeError.self) {
            try SHA256.ofFile(at: "\(folder.path)/none")
        }
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("\(folder.path)/none") == true)
    }
}
