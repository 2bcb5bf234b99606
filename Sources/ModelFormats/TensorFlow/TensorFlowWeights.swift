package import Native
import SwiftProtobuf
import Tensors

/// A checkpoint's tensors under torchvision's names and in its layouts, as far as the names are known.
struct TensorFlowWeights {
    let tensors: [NamedTensor]
    let metadata: [String: String]
    let notes: [String]

    /// Reads the variables of a network, and passes over what only training needs.
    ///
    /// - Parameters:
    ///   - bundle: the checkpoint.
    ///   - facts: what is known of the network from elsewhere, in the words of a weight file's metadata.
    ///   - selection: the variables, or their moving averages; of those that have none, such as running statistics, which
    ///     are averages themselves, the variables.
    ///   - file: what messages call it.
    /// - Throws: `ModelFormatError` as `TensorBundle.tensor` does, and `.noWeights`.
    init(
        _ bundle: TensorBundle, facts: [String: String] = [:], selection: WeightFile.Selection,
        name file: String
    ) throws(ModelFormatError) {
        let names = try Self.objectNames(bundle)
        var said: [String: String]?
        var skipped = 0
        var variables: [(name: String, entry: TensorBundle.Entry)] = []
        var places: [String: Int] = [:]
        var averageCount = 0
        for entry in bundle.entries {
            if entry.isText {
                if entry.name == tensorFlowMetadataKey, let text = try bundle.text(entry) {
                    // The key is ours alone: without what it says the network would be another one.
                    said = try JSONScanner.texts(
                        Memory(copying: text), name: "\(file): \(entry.name)")
                }
                continue
            }
            var name = names[entry.name] ?? entry.name
            let isAverage = name.hasSuffix(Self.average)
            if isAverage { name.removeLast(Self.average.count) }
            let isUnwanted =
                isAverage
                ? selection != .ema : Self.isOfTraining(name) || Self.isOfTraining(entry.name)
            if isUnwanted {
                skipped += 1
            } else if let place = places[name] {
                if isAverage { variables[place].entry = entry }
            } else {
                places[name] = variables.count
                variables.append((name, entry))
            }
            if isAverage { averageCount += 1 }
        }
        guard !variables.isEmpty, selection == .default || averageCount > 0 else {
            throw ModelFormatError(
                .noWeights,
                selection == .ema
                    ? "\(file): the checkpoint holds no moving averages of weights"
                    : "\(file): the checkpoint holds no weights")
        }
        var notes: [String] = []
        if skipped > 0 {
            notes.append("\(skipped) variables of no use outside training were passed over")
        }
        guard let scheme = Self.scheme(variables.map(\.name)) else {
            var tensors: [NamedTensor] = []
            for (name, entry) in variables where entry.elementType != nil {
                tensors.append(NamedTensor(name: name, tensor: try bundle.tensor(entry)))
            }
            self.tensors = tensors
            metadata = facts.merging(said ?? [:]) { $1 }
            self.notes = notes
            return
        }
        var network: [String: HostTensor] = [:]
        var sources: [String: String] = [:]
        var tensors: [NamedTensor] = []
        for (name, entry) in variables {
            guard let known = TensorFlowName(name, scheme) else {
                guard entry.elementType != nil else { continue }
                tensors.append(NamedTensor(name: name, tensor: try bundle.tensor(entry)))
                continue
            }
            if let first = sources.updateValue(name, forKey: known.canonical) {
                throw ModelFormatError(
                    .unsupported,
                    "\(file): expected one network, found \(first) and \(name), both "
                        + "\(known.canonical); save one of the networks alone")
            }
            network[known.canonical] = try Self.arranged(
                try bundle.tensor(entry), known.layout, "\(file): \(name)")
        }
        var metadata: [String: String]
        switch scheme {
        // What was written here says all there is to say.
        case .nvidia: metadata = said == nil ? Self.nvidia : [:]
        case .keras:
            metadata = KerasConventions.metadata
            notes.append(contentsOf: KerasConventions.apply(to: &network))
        }
        metadata.merge(facts) { $1 }
        metadata.merge(said ?? [:]) { $1 }
        if metadata["class_offset"] != nil, network["fc.bias"]?.shape != [1001] {
            metadata["class_offset"] = nil
        }
        tensors += network.sorted { $0.key < $1.key }.map { NamedTensor(name: $0, tensor: $1) }
        self.tensors = tensors
        self.metadata = metadata
        self.notes = notes
    }

    // MARK: - Names

    private static let average = "/ExponentialMovingAverage"

    /// Whether a variable is the optimizer's, or counts steps.
    private static func isOfTraining(_ name: String) -> Bool {
        let slots = [
            "/Momentum", "/Momentum_1", "/Adam", "/Adam_1", "/RMSProp", "/RMSProp_1", "/LARS",
            "/loss_scale", "/good_steps",
        ]
        let counters = ["global_step", "save_counter", "beta1_power", "beta2_power"]
        return counters.contains(name) || slots.contains { name.hasSuffix($0) }
            || name.contains("/.OPTIMIZER_SLOT/") || name.hasPrefix("optimizer/")
            || name.hasPrefix("save_counter/")
    }

    /// The names of variables by their keys, where the checkpoint is one of objects.
    private static func objectNames(
        _ bundle: TensorBundle
    ) throws(ModelFormatError) -> [String: String] {
        guard
            let entry = bundle.entries.first(where: { $0.name == "_CHECKPOINTABLE_OBJECT_GRAPH" }),
            let text = try bundle.text(entry)
        else { return [:] }
        guard let graph = try? TensorFlowTrackableObjectGraph(serializedBytes: text) else {
            throw ModelFormatError(.malformed, "\(entry.name): the graph of objects is damaged")
        }
        var names: [String: String] = [:]
        for node in graph.nodes {
            for tensor in node.attributes
            where tensor.name == "VARIABLE_VALUE" && !tensor.fullName.isEmpty {
                names[tensor.checkpointKey] = tensor.fullName
            }
        }
        return names
    }

    /// Whose way of naming the first block's first filter follows.
    private static func scheme(_ names: [String]) -> TensorFlowName.Scheme? {
        TensorFlowName.Scheme.allCases.first { scheme in
            names.contains { TensorFlowName($0, scheme)?.canonical == "layer1.0.conv1.weight" }
        }
    }

    // MARK: - What networks are trained with

    /// Source: NVIDIA DeepLearningExamples at commit 729963dd, TensorFlow ConvNets, `utils/data_utils.py`.
    private static let nvidia: [String: String] = {
        func list(_ numbers: [Double]) -> String {
            numbers.map { "\($0 / 255)" }.joined(separator: ",")
        }
        return [
            "variant": "v1.5", "padding": "tensorflow", "mean": list([123.68, 116.28, 103.53]),
            "std": list([58.395, 57.12, 57.385]), "resize": "256", "crop": "224",
            "class_offset": "0",
        ]
    }()

    // MARK: - Layouts

    private static func arranged(
        _ tensor: HostTensor, _ layout: TensorFlowName.Layout, _ name: String
    ) throws(ModelFormatError) -> HostTensor {
        // Extents beside a 0 may be any numbers, and are counts of what is made later.
        guard tensor.shape.elementCount > 0 else {
            throw ModelFormatError(
                .sizeMismatch, "\(name): shape \(tensor.shape) holds no elements")
        }
        switch (layout, tensor.shape.rank) {
        case (.filter, 4): return tensor.transposed([3, 2, 0, 1])
        case (.dense, 2): return tensor.transposed([1, 0])
        case (.dense, 4) where tensor.shape[0] == 1 && tensor.shape[1] == 1:
            let flat: Shape = [tensor.shape[3], tensor.shape[2]]
            guard let result = try? tensor.transposed([3, 2, 0, 1]).reshaped(to: flat) else {
                break
            }
            return result
        case (.vector, 1): return tensor
        // A classifier that was made a convolution may keep its bias on the innermost of four axes.
        case (.vector, 4):
            guard let result = try? tensor.reshaped(to: [tensor.shape.elementCount]) else { break }
            return result
        default: break
        }
        throw ModelFormatError(
            .sizeMismatch, "\(name): shape \(tensor.shape) does not suit the variable's name")
    }
}

/// The variable, a text, under which checkpoints written here hold what a weight file says of itself, as JSON.
package let tensorFlowMetadataKey = "swift_resnet/metadata"

/// Reads the network of a checkpoint whose files lie in memory: what fuzzers and tests of broken files need.
///
/// - Parameters:
///   - index: the index file.
///   - elements: the one file of elements.
///   - name: what messages call it.
/// - Throws: `ModelFormatError` as `WeightFile` does for a checkpoint.
package func tensorFlowNetwork(
    index: Memory, elements: Memory, name: String
) throws(ModelFormatError) -> [NamedTensor] {
    let bundle = try TensorBundle(index: index, name: name) {
        (_, _) throws(ModelFormatError) in elements
    }
    return try TensorFlowWeights(bundle, selection: .default, name: name).tensors
}
