public import ModelFormats
public import ResNetModel
public import Tensors

/// A network with its weights, read and checked, not yet made ready for a device.
public struct LoadedModel: Sendable {
    /// What the network is.
    public let architecture: ResNetArchitecture
    /// Its weights by canonical name, as `ResNetArchitecture.parameterList` has them.
    public let parameters: [String: HostTensor]
    /// What the weight file's tensors were used for.
    public let report: LoadReport
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
        let expected = architecture.parameterList.map(\.name)
        let report = LoadReport(
            applied: expected.filter { parameters[$0] != nil },
            missing: expected.filter { parameters[$0] == nil }, unused: [], mismatched: [])
        self.architecture = architecture
        self.parameters = parameters
        self.report = report
        self.metadata = metadata
        notes = []
        container = nil
        self.name = name
        try checkComplete()
    }

    /// Reads a weight file and recognises the network in it. Blocks while it reads.
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
        try self.init(file: file, name: path, variant: variant)
        try checkComplete()
    }

    /// Recognises the network in a weight file; what is missing is in the report.
    package init(file: WeightFile, name: String, variant: Variant?) throws {
        let canonical = file.withCanonicalNames()
        var shapes: [String: Shape] = [:]
        for named in canonical.tensors { shapes[named.name] = named.tensor.shape }
        var architecture = try ResNetArchitecture.recognise(
            shapes: shapes, metadata: file.metadata)
        if let variant { architecture.variant = variant }
        let expecting = architecture.parameterList.map { (name: $0.name, shape: $0.shape) }
        let loaded = load(canonical, expecting: expecting)
        self.architecture = architecture
        parameters = loaded.parameters
        report = loaded.report
        metadata = file.metadata
        notes = file.notes
        container = file.container
        self.name = name
    }

    /// Sentences about what a user should know of the load; none where all went well.
    public var warnings: [String] {
        let counters = Set(architecture.optionalParameterNames)
        let unused = report.unused.filter { !counters.contains($0) }
        guard !unused.isEmpty else { return [] }
        let shown = unused.prefix(3).joined(separator: ", ")
        let more = unused.count > 3 ? " and \(unused.count - 3) more" : ""
        return ["\(name): \(unused.count) tensors have no place in the network: \(shown)\(more)"]
    }

    /// Throws where the network lacks weights.
    private func checkComplete() throws(InferenceError) {
        let lacking = report.missing + report.mismatched.map(\.name)
        guard !lacking.isEmpty else { return }
        let shown = lacking.prefix(3).joined(separator: ", ")
        let more = lacking.count > 3 ? " and \(lacking.count - 3) more" : ""
        throw InferenceError(
            .missingParameters,
            "\(name): \(architecture.name) needs \(report.applied.count + lacking.count) tensors, "
                + "\(lacking.count) are missing or of another shape: \(shown)\(more)")
    }
}
