public import ModelFormats
public import ResNetModel
public import Tensors

/// A network with its weights, read and checked, not yet made ready for a device.
public struct LoadedModel: Sendable {
    /// What the network is.
    public let architecture: ResNetArchitecture
    /// Its weights by canonical name, as `ResNetArchitecture.parameterList` has them.
    public let parameters: [String: HostTensor]
    /// What the weight file's tensors were used for; `nil` where the weights are of no file.
    public let report: LoadReport?
    /// What the weight file says of itself.
    public let metadata: [String: String]
    /// What the reader of the file noticed, such as which part of a checkpoint it took.
    public let notes: [String]
    /// How the file stores its tensors; `nil` where the weights are of no file.
    public let container: WeightFile.Container?
    /// What messages call it: the file's path.
    public let name: String

    /// Takes weights that are in memory.
    ///
    /// - Throws: `InferenceError` with code `.missingParameters`.
    public init(
        architecture: ResNetArchitecture, parameters: [String: HostTensor],
        metadata: [String: String] = [:], name: String = "weights"
    ) throws(InferenceError) {
        let lacking = architecture.parameterList.filter { parameters[$0.name]?.shape != $0.shape }
        guard lacking.isEmpty else {
            throw Self.incomplete(name, architecture, lacking.map(\.name))
        }
        self.architecture = architecture
        self.parameters = parameters
        report = nil
        self.metadata = metadata
        notes = []
        container = nil
        self.name = name
    }

    /// Reads a weight file and recognises the network in it.
    ///
    /// Blocks while it reads.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - selection: which of a checkpoint's sets of weights.
    ///   - variant: what the network is, where the file does not say or is wrong.
    /// - Throws: `ModelFormatError` for a damaged or unknown file, `ModelError` for another network, and
    ///   `InferenceError` with code `.missingParameters`.
    public init(
        contentsOf path: String, selection: WeightFile.Selection = .default,
        variant: Variant? = nil
    ) throws {
        let file = try WeightFile(contentsOf: path, selection: selection)
        try self.init(file: file, variant: variant)
        let lacking = (report?.missing ?? []) + (report?.mismatched ?? []).map(\.name)
        guard lacking.isEmpty else { throw Self.incomplete(name, architecture, lacking) }
    }

    /// Recognises the network in a weight file; what is missing is in the report.
    package init(file: WeightFile, variant: Variant?) throws {
        var shapes: [String: Shape] = [:]
        for named in file.tensors {
            shapes[canonicalParameterName(named.name)] = named.tensor.shape
        }
        var said = file.metadata
        if let variant { said["variant"] = variant.rawValue }
        let architecture = try ResNetArchitecture.recognise(shapes: shapes, metadata: said)
        let expecting = architecture.parameterList.map { (name: $0.name, shape: $0.shape) }
        let loaded = load(file, expecting: expecting)
        self.architecture = architecture
        parameters = loaded.parameters
        report = loaded.report
        metadata = file.metadata
        notes = file.notes
        container = file.container
        name = file.name
    }

    /// Sentences about what a user should know of the load; none where all went well.
    public var warnings: [String] {
        let said = stated.warnings.map { "\(name): \($0)" }
        let unused = unusedNames
        guard !unused.isEmpty else { return said }
        let shown = unused.prefix(3).joined(separator: ", ")
        let more = unused.count > 3 ? " and \(unused.count - 3) more" : ""
        return said
            + ["\(name): \(unused.count) tensors have no place in the network: \(shown)\(more)"]
    }

    /// The tensors of the file that have no place in the network; batch norm's counters of batches, which no
    /// result needs, are not among them.
    public var unusedNames: [String] {
        (report?.unused ?? []).filter { !$0.hasSuffix(".num_batches_tracked") }
    }

    private static func incomplete(
        _ name: String, _ architecture: ResNetArchitecture, _ lacking: [String]
    ) -> InferenceError {
        let shown = lacking.prefix(3).joined(separator: ", ")
        let more = lacking.count > 3 ? " and \(lacking.count - 3) more" : ""
        return InferenceError(
            .missingParameters,
            "\(name): \(architecture.name) needs \(architecture.parameterList.count) tensors, "
                + "\(lacking.count) of them are missing or of another shape: \(shown)\(more)")
    }
}
