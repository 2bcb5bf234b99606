import ArgumentParser
import Graph
import Images
import Inference
import ModelFormats
import Native
import ResNetModel
import Tensors

/// `resnet inspect`: shows a network's layers, and what a weight file says of itself.
struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show a network's layers, or what is in a weight file.",
        discussion: """
            A network is named resnet18, resnet34, resnet50, resnet101 or resnet152. Parameters are the numbers \
            that training changes; a convolution's include its batch norm's scale and shift. Multiply-adds are \
            for one image, of convolutions and the classifier.
            """)

    @Argument(
        help: ArgumentHelp(
            "A network, a weight file, or the name of pretrained weights.",
            valueName: "network|file|name"))
    var subject: String

    @Option(
        help: ArgumentHelp("Where bottlenecks take their stride.", valueName: "v1|v1.5"))
    var variant: Variant?

    @Option(help: "How many classes a named network has.")
    var classes = 1000

    @Option(help: "Pixels a side of an image.")
    var size = 224

    @Flag(help: "Take a checkpoint's moving average of the weights.")
    var ema = false

    @Option(help: ArgumentHelp("How to print.", valueName: "text|json|csv"))
    var format = OutputFormat.text

    mutating func validate() throws {
        try check(classes, "--classes", 1...1_000_000)
        try check(size, "--size", 1...8192)
        try check(format, among: [.text, .json, .csv])
    }

    mutating func run() async throws {
        let report: ModelReport
        if let depth = namedDepth {
            let architecture = ResNetArchitecture(
                depth: depth, variant: variant ?? .v1_5, classCount: classes)
            report = ModelReport(
                architecture: architecture, model: nil, transform: .standard, size: size,
                assumed: [])
        } else {
            let model = try await inspectedModel()
            let published = publishedWeights(subject) != nil
            let known: Set = published ? ["resize", "crop", "class_names"] : []
            let assumed = model.assumedKeys.filter { key in
                !known.contains(key) && !(key == "variant" && variant != nil)
            }
            report = ModelReport(
                architecture: model.architecture, model: model,
                transform: try evaluationTransform(
                    for: model, named: subject, resize: nil, crop: nil), size: size,
                assumed: assumed)
        }
        let text =
            switch format {
            case .json: try report.json().pretty + "\n"
            case .csv: try report.table().csv
            case .text, .jsonl: try report.text()
            }
        try Console.current.output(text)
    }

    /// The depth of a network that is named; a file of that name goes first.
    private var namedDepth: Depth? {
        guard FileKind(atPath: subject) == nil else { return nil }
        let lowered = subject.lowercased()
        return Depth.allCases.first {
            ["resnet\($0.rawValue)", "resnet-\($0.rawValue)"].contains(lowered)
        }
    }

    /// The model of a file, also of one that lacks weights.
    private func inspectedModel() async throws -> LoadedModel {
        let path = try weightPath(subject)
        let (selection, variant) = (ema ? WeightFile.Selection.ema : .default, variant)
        return try await WorkQueue(name: "load").run {
            try LoadedModel(
                file: WeightFile(contentsOf: path, selection: selection), variant: variant)
        }
    }
}

/// What `resnet inspect` prints.
struct ModelReport {
    let architecture: ResNetArchitecture
    let model: LoadedModel?
    /// How pictures are prepared for it.
    let transform: EvaluationTransform
    let size: Int
    /// What neither the file nor anyone else says, by the keys under which a file would; taken as usual.
    let assumed: [String]

    /// The layers, one a row.
    func table() throws -> Table {
        var table = Table([
            "layer": .left, "kind": .left, "kernel": .left, "stride": .left, "output": .left,
            "parameters": .right, "multiply-adds": .right,
        ])
        for row in try architecture.layerTable(imageSize: size).rows {
            table.add([
                row.name, row.kind.rawValue,
                row.kernel.map { "\($0.height)x\($0.width)" } ?? "",
                row.stride.map {
                    $0.height == $0.width ? "\($0.height)" : "\($0.height)x\($0.width)"
                }
                    ?? "",
                row.outputShape.dimensions.map(String.init).joined(separator: "x"),
                String(row.parameterCount), String(row.multiplyAddCount),
            ])
        }
        return table
    }

    func text() throws -> String {
        let layers = try architecture.layerTable(imageSize: size)
        var text = try table().text
        text += """

            \(architecture.name): \(layers.countedLayerCount) counted layers, \
            \(grouped(layers.parameterCount)) parameters, \(grouped(layers.multiplyAddCount)) \
            multiply-adds for \(size) x \(size), \(grouped(architecture.classCount)) classes

            """
        guard let model else { return text }
        var facts = Table(["file": .left, model.name: .left])
        if let container = model.container { facts.add(["container", container.rawValue]) }
        let types = Set(model.parameters.values.map(\.elementType.rawValue)).sorted()
        facts.add(["element types", types.joined(separator: ", ")])
        facts.add(["pictures", "short side to \(transform.resize), middle \(transform.crop)"])
        let normalization = architecture.normalization
        facts.add([
            "pixels of 0 to 1",
            "less \(list(normalization.mean)), over \(list(normalization.deviation))",
        ])
        facts.add(["padding", architecture.padding.rawValue])
        if !assumed.isEmpty {
            facts.add(["not said, assumed", assumed.joined(separator: ", ")])
        }
        for (key, value) in model.metadata.sorted(by: { $0.key < $1.key }) {
            facts.add(["metadata \(printable(key))", printable(shortened(value))])
        }
        for note in model.notes { facts.add(["note", printable(note)]) }
        if let report = model.report {
            facts.add([
                "tensors",
                "\(report.applied.count) applied, \(report.missing.count) missing, "
                    + "\(model.unusedNames.count) unused, \(report.mismatched.count) mismatched",
            ])
            for name in report.missing { facts.add(["missing", printable(name)]) }
            for mismatch in report.mismatched {
                facts.add([
                    "mismatched",
                    "\(mismatch.name): expected \(mismatch.expected), found \(mismatch.found)",
                ])
            }
            for name in model.unusedNames { facts.add(["unused", printable(name)]) }
        }
        return text + "\n" + facts.text
    }

    func json() throws -> JSONValue {
        let layers = try architecture.layerTable(imageSize: size)
        let rows = layers.rows.map { row in
            JSONValue.members([
                "name": .string(row.name), "kind": .string(row.kind.rawValue),
                "kernel": row.kernel.map { .array([.integer($0.height), .integer($0.width)]) },
                "stride": row.stride.map { .array([.integer($0.height), .integer($0.width)]) },
                "output": .array(row.outputShape.dimensions.map { .integer($0) }),
                "parameters": .integer(row.parameterCount),
                "multiply_adds": .integer(row.multiplyAddCount),
            ])
        }
        return .members([
            "name": .string(architecture.name), "depth": .integer(architecture.depth.rawValue),
            "variant": .string(architecture.variant.rawValue),
            "classes": .integer(architecture.classCount), "image_size": .integer(size),
            "counted_layers": .integer(layers.countedLayerCount),
            "parameters": .integer(layers.parameterCount),
            "multiply_adds": .integer(layers.multiplyAddCount), "layers": .array(rows),
            "file": model.map(fileJSON),
        ])
    }

    private func fileJSON(_ model: LoadedModel) -> JSONValue {
        func strings(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
        let metadata = model.metadata.sorted { $0.key < $1.key }.map { key, value in
            JSONValue.Member(key: key, value: .string(value))
        }
        return .members([
            "path": .string(model.name),
            "container": model.container.map { .string($0.rawValue) },
            "resize": .integer(transform.resize), "crop": .integer(transform.crop),
            "mean": .array(architecture.normalization.mean.map { .number($0) }),
            "std": .array(architecture.normalization.deviation.map { .number($0) }),
            "padding": .string(architecture.padding.rawValue),
            "assumed": strings(assumed), "metadata": .object(metadata),
            "notes": strings(model.notes),
            "applied": .integer(model.report?.applied.count ?? 0),
            "missing": strings(model.report?.missing ?? []),
            "unused": strings(model.unusedNames),
            "mismatched": .array(
                (model.report?.mismatched ?? []).map { mismatch in
                    .members([
                        "name": .string(mismatch.name),
                        "expected": .array(mismatch.expected.dimensions.map { .integer($0) }),
                        "found": .array(mismatch.found.dimensions.map { .integer($0) }),
                    ])
                }),
        ])
    }

    private func list(_ numbers: [Double]) -> String {
        numbers.map { fixed($0, places: 4) }.joined(separator: ", ")
    }

    private func shortened(_ text: String) -> String {
        text.count <= 100 ? text : text.prefix(97) + "..."
    }
}
