extension PretrainedWeights {
    /// All weights known by name.
    ///
    /// Sources: torchvision 0.28 `torchvision/models/resnet.py` (URLs, sizes in MiB with three decimals,
    /// accuracies, evaluation sizes); timm `timm/models/resnet.py` (names, URLs, crop share 0.95, bicubic); "ResNet
    /// strikes back" (Wightman et al. 2021, abstract) for the accuracy of A1; NVIDIA DeepLearningExamples
    /// for the NGC file. A file's name carries the first eight digits of its SHA-256; all digits are given
    /// where two independent projects that pin the file agree on them.
    public static let catalogue: [PretrainedWeights] = [
        torchvision(
            "resnet18.tv_in1k", 18, file: "resnet18-f37072fd.pth", mebibytes: 44.661,
            byteCount: 46_830_571,
            sha256: "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
            top1: 69.758, top5: 89.078),
        torchvision(
            "resnet34.tv_in1k", 34, file: "resnet34-b627a593.pth", mebibytes: 83.275,
            byteCount: 87_319_819,
            sha256: "b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f",
            top1: 73.314, top5: 91.420),
        torchvision(
            "resnet50.tv_in1k", 50, file: "resnet50-0676ba61.pth", mebibytes: 97.781,
            byteCount: 102_530_333,
            sha256: "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
            top1: 76.130, top5: 92.862),
        torchvision(
            "resnet50.tv2_in1k", 50, file: "resnet50-11ad3fa6.pth", mebibytes: 97.790,
            byteCount: 102_540_417,
            sha256: "11ad3fa62ca79e40addfd354a8ec4b7c75143b3038b8d2a807fbc68deab379ca",
            top1: 80.858, top5: 95.434, resize: 232),
        torchvision(
            "resnet101.tv_in1k", 101, file: "resnet101-63fe2227.pth", mebibytes: 170.511,
            sha256: "63fe2227b86e8f1f2063f43a75c84d195911b6a0eace650907dd3dc62dd49a0a",
            top1: 77.374, top5: 93.546),
        torchvision(
            "resnet101.tv2_in1k", 101, file: "resnet101-cd907fc2.pth", mebibytes: 170.530,
            sha256: "cd907fc2a0de2292b2ba2b27d2216bc672d84632d1cf20058d01c0c03b5e020e",
            top1: 81.886, top5: 95.780, resize: 232),
        torchvision(
            "resnet152.tv_in1k", 152, file: "resnet152-394f9c45.pth", mebibytes: 230.434,
            sha256: "394f9c45966e3651a89bbb78a48410a6755854ce4a5ab64927cf1c7247f85e58",
            top1: 78.312, top5: 94.046),
        torchvision(
            "resnet152.tv2_in1k", 152, file: "resnet152-f82ba261.pth", mebibytes: 230.474,
            top1: 82.284, top5: 96.002, resize: 232),
        PretrainedWeights(
            name: "resnet50.nvidia_in1k", depth: 50, publisher: "NVIDIA NGC",
            url: "https://api.ngc.nvidia.com/v2/models/nvidia/resnet50_pyt_amp/versions/20.06.0/"
                + "files/nvidia_resnet50_200821.pth.tar",
            byteCount: nil, approximateByteCount: 102_500_000, checksum: .unpublished,
            licence: nil, publishedTop1: nil, publishedTop5: nil,
            evaluation: Evaluation(resize: 256, crop: 224)),
        strikesBack(
            "resnet18.a1_in1k", 18, file: "resnet18_a1_0-d63eafa0.pth", megabytes: 47,
            sha256: "d63eafa07a6e32a39d328e364f8c9f89d671444ecc7f02aa0f7eb8882af3dd29"),
        strikesBack("resnet34.a1_in1k", 34, file: "resnet34_a1_0-46f8f793.pth", megabytes: 87),
        strikesBack(
            "resnet50.a1_in1k", 50, file: "resnet50_a1_0-14fe96d1.pth", megabytes: 102,
            sha256: "14fe96d1f9fb311a60490082d2077e6e60427dcfe21839ddf934cce948f72b0f",
            top1: 80.4),
        strikesBack("resnet101.a1_in1k", 101, file: "resnet101_a1_0-cdcb52a9.pth", megabytes: 179),
        strikesBack("resnet152.a1_in1k", 152, file: "resnet152_a1_0-2eee8a7a.pth", megabytes: 242),
    ]

    /// The weights that a first run takes.
    ///
    /// torchvision's first version, not its second: it wants the usual evaluation of 256 and 224, it is the
    /// network that other people's numbers are about, and its probabilities mean more: the second, right on
    /// 4.7 more pictures of a hundred, was trained with label smoothing, mixup and CutMix, which leave it
    /// unsure even of what it sees clearly.
    public static let defaultName = "resnet50.tv_in1k"

    private static func torchvision(
        _ name: String, _ depth: Int, file: String, mebibytes: Double, byteCount: Int? = nil,
        sha256: String? = nil, top1: Double, top5: Double, resize: Int = 256
    ) -> PretrainedWeights {
        PretrainedWeights(
            name: name, depth: depth, publisher: "torchvision",
            url: "https://download.pytorch.org/models/\(file)", byteCount: byteCount,
            approximateByteCount: Int(mebibytes * 1_048_576),
            checksum: checksum(sha256, file: file), licence: "BSD-3-Clause", publishedTop1: top1,
            publishedTop5: top5, evaluation: Evaluation(resize: resize, crop: 224))
    }

    /// The A1 recipe of "ResNet strikes back"; 224 of 0.95 is a short side of 235.
    private static func strikesBack(
        _ name: String, _ depth: Int, file: String, megabytes: Int, sha256: String? = nil,
        top1: Double? = nil
    ) -> PretrainedWeights {
        PretrainedWeights(
            name: name, depth: depth, publisher: "timm",
            url: "https://github.com/huggingface/pytorch-image-models/releases/download/"
                + "v0.1-rsb-weights/\(file)",
            byteCount: nil, approximateByteCount: megabytes * 1_000_000,
            checksum: checksum(sha256, file: file), licence: "Apache-2.0", publishedTop1: top1,
            publishedTop5: nil,
            evaluation: Evaluation(resize: 235, crop: 224, interpolation: "bicubic"))
    }

    /// The whole hash, or the digits between the last dash and the dot of the file's name.
    private static func checksum(_ sha256: String?, file: String) -> Checksum {
        if let sha256 { return .sha256(sha256) }
        let digits = file.split(separator: "-").last?.prefix { $0 != "." } ?? ""
        return .sha256Prefix(String(digits))
    }
}
