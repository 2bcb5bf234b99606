public import Tensors

extension ResNetArchitecture {
    /// Tells which network a file of weights holds, from the names and shapes of its tensors.
    ///
    /// Depth and class count follow from the shapes. Both variants have the same shapes: the file's metadata may
    /// name one under `variant`, or within `arch`, `architecture` or `model`, as in `resnet50 v1`; v1.5 otherwise,
    /// which is what NVIDIA and torchvision train. It may also say `padding`, as `PaddingConvention` spells it, and
    /// `mean` and `std` of pixels.
    ///
    /// Tensors that are missing are not an error here, as long as depth and class count are plain; loading
    /// reports them.
    ///
    /// - Parameters:
    ///   - shapes: by canonical (torchvision) name.
    ///   - metadata: what the file says of itself.
    /// - Throws: `ModelError` with code `.notRecognised` where the names are not a ResNet's,
    ///   `.unsupportedArchitecture` for a relative that is not built here, `.shapeMismatch` where a tensor has
    ///   another shape than it should, `.invalidOption` where the metadata names a variant or a padding that
    ///   there is not.
    public static func recognise(
        shapes: [String: Shape], metadata: [String: String] = [:]
    ) throws(ModelError) -> ResNetArchitecture {
        guard let stem = shapes["conv1.weight"], shapes["layer1.0.conv1.weight"] != nil else {
            if let name = shapes.keys.filter(isDeepStem).min() {
                throw ModelError(
                    .unsupportedArchitecture,
                    "\(name): a stem of several convolutions (ResNet-C or -D) is not supported")
            }
            let sample = shapes.keys.sorted().prefix(3).joined(separator: ", ")
            throw ModelError(
                .notRecognised,
                "expected a ResNet's tensors such as conv1.weight and layer1.0.conv1.weight, found "
                    + (sample.isEmpty ? "none" : "\(shapes.count): \(sample), ..."))
        }
        try refuseRelatives(shapes)
        let depth = try recogniseDepth(shapes)
        guard let classifier = shapes["fc.weight"], classifier.rank == 2, classifier[0] >= 1 else {
            let found = shapes["fc.weight"].map { "found \($0)" } ?? "found none"
            throw ModelError(
                .notRecognised,
                "fc.weight: expected the classifier's weight [classes, features], \(found)")
        }
        guard stem.rank == 4 else {
            throw ModelError(
                .shapeMismatch, "conv1.weight: expected [64, 3, 7, 7], found \(stem)")
        }
        let architecture = ResNetArchitecture(
            depth: depth, variant: try statedVariant(metadata) ?? .v1_5, classCount: classifier[0],
            padding: try padding(metadata), normalization: ImageNormalization(metadata: metadata))
        try architecture.check(shapes)
        return architecture
    }

    private static func isDeepStem(_ name: String) -> Bool {
        name.hasPrefix("conv1.") && name.dropFirst(6).first?.isNumber == true
    }

    /// Names the relatives of ResNet that share its names.
    private static func refuseRelatives(_ shapes: [String: Shape]) throws(ModelError) {
        let squeezes = shapes.keys.filter { $0.contains(".se.") || $0.contains(".squeeze") }
        if let name = squeezes.min() {
            throw ModelError(
                .unsupportedArchitecture,
                "\(name): squeeze-and-excitation (SE-ResNet) is not supported")
        }
        guard let first = shapes["layer1.0.conv1.weight"], first.rank == 4,
            let second = shapes["layer1.0.conv2.weight"], second.rank == 4
        else { return }
        if second[1] < first[0], second[1] > 0, first[0] % second[1] == 0 {
            throw ModelError(
                .unsupportedArchitecture,
                "layer1.0.conv2.weight \(second): a convolution in \(first[0] / second[1]) groups "
                    + "(ResNeXt) is not supported")
        }
        if first[0] > 64 {
            throw ModelError(
                .unsupportedArchitecture,
                "layer1.0.conv1.weight \(first): expected 64 channels, found \(first[0]); "
                    + "wide ResNets are not supported")
        }
    }

    /// The depth of which a file has the blocks.
    private static func recogniseDepth(_ shapes: [String: Shape]) throws(ModelError) -> Depth {
        var counts = [0, 0, 0, 0]
        for name in shapes.keys {
            let parts = name.split(separator: ".", maxSplits: 2)
            guard parts.count == 3, parts[0].hasPrefix("layer"), parts[2] == "conv1.weight",
                let stage = Int(parts[0].dropFirst(5)), let block = Int(parts[1]),
                (1...4).contains(stage), (0..<1000).contains(block)
            else { continue }
            counts[stage - 1] = max(counts[stage - 1], block + 1)
        }
        let hasBottlenecks = shapes["layer1.0.conv3.weight"] != nil
        let depth = Depth.allCases.first {
            $0.blockCounts == counts && $0.hasBottlenecks == hasBottlenecks
        }
        guard let depth else {
            let known = Depth.allCases.map { "\($0.rawValue)" }.joined(separator: ", ")
            throw ModelError(
                .unsupportedArchitecture,
                "expected the blocks of ResNet \(known), found \(counts) "
                    + (hasBottlenecks ? "bottlenecks" : "basic blocks"))
        }
        return depth
    }

    /// The variant that a file names; `nil` where it names none.
    ///
    /// - Throws: `ModelError` with code `.invalidOption` for one that there is not.
    package static func statedVariant(
        _ metadata: [String: String]
    ) throws(ModelError) -> Variant? {
        if let text = metadata["variant"] {
            guard let variant = Variant(text: text) else {
                throw ModelError(
                    .invalidOption, "variant in the metadata: expected v1 or v1.5, found \(text)")
            }
            return variant
        }
        for key in ["arch", "architecture", "model"] {
            guard let text = metadata[key]?.lowercased() else { continue }
            if let variant = Variant(within: text) { return variant }
        }
        return nil
    }

    /// The padding that a file names.
    private static func padding(
        _ metadata: [String: String]
    ) throws(ModelError) -> PaddingConvention {
        guard let text = metadata["padding"] else { return .symmetric }
        guard let padding = PaddingConvention(rawValue: text.lowercased()) else {
            throw ModelError(
                .invalidOption,
                "padding in the metadata: expected "
                    + PaddingConvention.allCases.map(\.rawValue).joined(separator: ", ")
                    + ", found \(text)")
        }
        return padding
    }

    /// Compares every tensor that is there with what the architecture expects.
    private func check(_ shapes: [String: Shape]) throws(ModelError) {
        let mismatches = parameterList.compactMap { parameter -> String? in
            guard let found = shapes[parameter.name], found != parameter.shape else { return nil }
            return "\(parameter.name): expected \(parameter.shape), found \(found)"
        }
        guard let first = mismatches.first else { return }
        let rest = mismatches.count > 1 ? " (and \(mismatches.count - 1) more)" : ""
        throw ModelError(
            .shapeMismatch, "\(first)\(rest); the file may hold another network than \(name)")
    }
}

extension Variant {
    /// Reads `v1`, `v1.5`, `v1_5`, `1.5` and the like; `nil` for anything else.
    public init?(text: String) {
        switch text.lowercased() {
        case "v1", "1", "v1.0", "1.0": self = .v1
        case "v1.5", "v1_5", "v15", "1.5": self = .v1_5
        default: return nil
        }
    }

    /// Finds `v1`, `v1.5`, `v1_5` or `v15` within a network's name, as in `resnet50_v1_5`.
    fileprivate init?(within text: String) {
        guard let start = text.ranges(of: "v1").last else { return nil }
        var rest = text[start.upperBound...]
        if rest.first == "." || rest.first == "_" { rest = rest.dropFirst() }
        let digits = rest.prefix(while: \.isNumber)
        if digits == "5" {
            self = .v1_5
        } else if text[start.upperBound...].first?.isNumber == true {
            // Another number, such as v10.
            return nil
        } else {
            self = .v1
        }
    }
}
