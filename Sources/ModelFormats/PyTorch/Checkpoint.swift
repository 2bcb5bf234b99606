import Native
import Tensors

/// Chooses the dictionary of weights in a PyTorch file and makes its tensors.
///
/// Source of the keys: NVIDIA's `main.py` (`state_dict`, `state_dict_ema`, earlier `ema_state_dict`),
/// torchvision's `references/classification` (`model`, `model_ema`), timm (`state_dict`, `state_dict_ema`).
struct Checkpoint {
    let tensors: [NamedTensor]
    let metadata: [String: String]
    let notes: [String]

    private static let plainKeys = ["state_dict", "model_state_dict", "model"]
    private static let averagedKeys = ["state_dict_ema", "ema_state_dict", "model_ema"]
    private static let maximumTextByteCount = 1_000

    init(
        _ pickle: PyTorchPickle, fileByteCount: Int, selection: WeightFile.Selection
    ) throws(ModelFormatError) {
        guard case .dictionary(let root) = pickle.root else {
            throw ModelFormatError(
                .noWeights,
                "\(pickle.file): expected a dictionary of tensors or a training checkpoint, found "
                    + "\(pickle.root.kind)")
        }
        let top = pickle.heap.dictionary(root)
        let found = (Self.plainKeys + Self.averagedKeys).filter { key in
            Self.weights(under: key, of: top, pickle.heap) != nil
        }
        let wanted = selection == .ema ? Self.averagedKeys : Self.plainKeys
        var notes = pickle.notes
        let chosen: PickleDictionary
        if let key = wanted.first(where: found.contains),
            let weights = Self.weights(under: key, of: top, pickle.heap)
        {
            chosen = weights
            let keys = top.entries.compactMap { Self.text($0.key) }.filter { $0 != key }
            notes.append("weights from \(key) of a training checkpoint")
            if !keys.isEmpty { notes.append("passed over: \(keys.joined(separator: ", "))") }
        } else if selection == .default, found.isEmpty, Self.holdsTensors(top) {
            chosen = top
        } else {
            let keys = top.entries.prefix(12).compactMap { Self.text($0.key) }
            throw ModelFormatError(
                .noWeights,
                "\(pickle.file): expected \(wanted.joined(separator: " or ")), found "
                    + (keys.isEmpty ? "nothing" : keys.joined(separator: ", "))
                    + (selection == .ema
                        ? "; the file holds no averaged weights"
                        : found.isEmpty ? "" : "; ask for the averaged weights (EMA)"))
        }
        tensors = try Self.tensors(chosen, pickle, fileByteCount: fileByteCount)
        metadata = pickle.metadata.merging(Self.metadata(top, pickle.heap)) { _, value in value }
        for key in ["arch", "epoch", "best_prec1"] {
            if let value = metadata[key] { notes.append("\(key) \(value)") }
        }
        self.notes = notes
    }

    private static func tensors(
        _ dictionary: PickleDictionary, _ pickle: PyTorchPickle, fileByteCount: Int
    ) throws(ModelFormatError) -> [NamedTensor] {
        var builder = TensorBuilder(pickle, fileByteCount: fileByteCount)
        // A name that is set twice has the last value, in the first place, as in Python.
        var places: [String: Int] = [:]
        var chosen: [(name: String, tensor: Int)] = []
        for entry in dictionary.entries {
            guard let name = text(entry.key), case .tensor(let tensor) = entry.value else {
                continue
            }
            if let place = places[name] {
                chosen[place].tensor = tensor
            } else {
                places[name] = chosen.count
                chosen.append((name: name, tensor: tensor))
            }
        }
        var tensors: [NamedTensor] = []
        tensors.reserveCapacity(chosen.count)
        for item in chosen {
            let tensor = try builder.tensor(pickle.heap.tensors[item.tensor], name: item.name)
            tensors.append(NamedTensor(name: item.name, tensor: tensor))
        }
        return tensors
    }

    private static func weights(
        under key: String, of top: PickleDictionary, _ heap: PickleHeap
    ) -> PickleDictionary? {
        guard case .dictionary(let index) = top.value(key) else { return nil }
        let dictionary = heap.dictionary(index)
        return holdsTensors(dictionary) ? dictionary : nil
    }

    private static func holdsTensors(_ dictionary: PickleDictionary) -> Bool {
        dictionary.kind != .namespace
            && dictionary.entries.contains { entry in
                if case .tensor = entry.value { text(entry.key) != nil } else { false }
            }
    }

    /// The plain values beside the weights, and the architecture that arguments name.
    private static func metadata(
        _ top: PickleDictionary, _ heap: PickleHeap
    ) -> [String: String] {
        var metadata: [String: String] = [:]
        if case .dictionary(let index) = top.value("args") {
            let arguments = heap.dictionary(index)
            for key in ["arch", "model"] {
                if let value = arguments.value(key).flatMap(plainText) { metadata["arch"] = value }
            }
        }
        for entry in top.entries.prefix(64) {
            guard let key = text(entry.key), let value = plainText(entry.value) else { continue }
            metadata[key] = value
        }
        return metadata
    }

    private static func plainText(_ value: PickleValue) -> String? {
        switch value {
        case .boolean(let truth): String(truth)
        case .integer(let number): String(number)
        case .float(let number): String(number)
        case .string(let text): text.utf8.count <= maximumTextByteCount ? text : nil
        default: nil
        }
    }

    private static func text(_ value: PickleValue) -> String? {
        if case .string(let text) = value { text } else { nil }
    }
}
