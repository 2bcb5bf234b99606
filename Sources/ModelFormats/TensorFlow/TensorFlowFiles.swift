import Native

/// Where TensorFlow's files of a network are, whichever of them was named.
enum TensorFlowFiles {
    /// A checkpoint: what its files' names begin with, and whether its index was named itself.
    case checkpoint(prefix: String, isIndexNamed: Bool)
    /// The folder of a SavedModel, and whether its graph was named itself.
    case savedModel(folder: String, isGraphNamed: Bool)

    /// What a weight file calls the format.
    var container: WeightFile.Container {
        switch self {
        case .checkpoint: .tensorFlowCheckpoint
        case .savedModel: .savedModel
        }
    }

    private static let modelName = "saved_model.pb"
    private static let indexSuffix = ".index"

    /// Finds what a path names: a SavedModel's folder or file, a checkpoint's folder, index, elements, or the
    /// beginning that their names share; `nil` where it is none of these.
    ///
    /// - Throws: `ModelFormatError` with code `.inputOutput`, or `.noWeights` for a folder of several checkpoints.
    static func find(_ path: String) throws(ModelFormatError) -> TensorFlowFiles? {
        switch Native.FileKind(atPath: path) {
        case .folder: return try inFolder(path)
        case .regular:
            let parts = PathParts(path)
            let name = parts.name
            if name == modelName { return .savedModel(folder: parts.folder, isGraphNamed: true) }
            if name.hasSuffix(indexSuffix) {
                guard let memory = try? Memory(mapping: path),
                    SortedTable.recognises(memory.bytes)
                else { return nil }
                return .checkpoint(
                    prefix: String(path.dropLast(indexSuffix.count)), isIndexNamed: true)
            }
            guard let start = name.ranges(of: ".data-").last?.lowerBound else { return nil }
            let prefix = String(path.dropLast(name[start...].count))
            return Native.FileKind(atPath: prefix + indexSuffix) == .regular
                ? .checkpoint(prefix: prefix, isIndexNamed: false) : nil
        case nil:
            return Native.FileKind(atPath: path + indexSuffix) == .regular
                ? .checkpoint(prefix: path, isIndexNamed: false) : nil
        case .link, .other, .unreachable: return nil
        }
    }

    private static func inFolder(_ path: String) throws(ModelFormatError) -> TensorFlowFiles? {
        let contents: [(name: String, kind: Native.FileKind)]
        do {
            contents = try folderContents(atPath: path)
        } catch {
            throw ModelFormatError(reading: path, error)
        }
        if contents.contains(where: { $0.name == modelName }) {
            return .savedModel(folder: path, isGraphNamed: false)
        }
        let indices = contents.filter { $0.kind != .unreachable }.map(\.name)
            .filter { $0.hasSuffix(indexSuffix) }
        guard let first = indices.first else { return nil }
        guard indices.count == 1 else {
            let shown = indices.prefix(3).joined(separator: ", ")
            throw ModelFormatError(
                .noWeights,
                "\(path): expected one checkpoint, found \(indices.count): \(shown)"
                    + (indices.count > 3 ? ", ...; name one of them" : "; name one of them"))
        }
        return .checkpoint(
            prefix: path + "/" + first.dropLast(indexSuffix.count), isIndexNamed: false)
    }

    /// Reads the network of a checkpoint or a SavedModel.
    ///
    /// - Throws: `ModelFormatError` as `TensorBundle` and `SavedModelGraph` do, `.forbidden` where a file that was not
    ///   named itself is a link, `.missingEntry` where it is not there.
    func read(
        selection: WeightFile.Selection, name: String
    ) throws(ModelFormatError) -> TensorFlowWeights {
        switch self {
        case .checkpoint(let prefix, let isIndexNamed):
            let parts = PathParts(prefix)
            let index = try Self.file(
                parts.name + Self.indexSuffix, in: parts.folder, isNamed: isIndexNamed)
            let bundle = try Self.bundle(index, folder: parts.folder, prefix: parts.name)
            return try TensorFlowWeights(bundle, selection: selection, name: name)
        case .savedModel(let folder, let isGraphNamed):
            let memory = try Self.file(Self.modelName, in: folder, isNamed: isGraphNamed)
            let graph = try SavedModelGraph(memory, name: "\(folder)/\(Self.modelName)")
            let prefix = "variables/variables"
            let index: Memory
            do {
                index = try Memory.member(prefix + Self.indexSuffix, of: folder)
            } catch {
                guard error.code == .missingEntry else { throw error }
                throw ModelFormatError(
                    .missingEntry,
                    "\(folder): expected \(prefix)\(Self.indexSuffix) beside \(Self.modelName); "
                        + "a frozen model, whose weights are constants, is not read")
            }
            let bundle = try Self.bundle(index, folder: folder, prefix: prefix)
            return try TensorFlowWeights(
                bundle, facts: graph.facts, selection: selection, name: name)
        }
    }

    private static func bundle(
        _ index: Memory, folder: String, prefix: String
    ) throws(ModelFormatError) -> TensorBundle {
        try TensorBundle(index: index, name: "\(folder)/\(prefix)\(indexSuffix)") {
            (number, count) throws(ModelFormatError) in
            try Memory.member(prefix + elementsSuffix(number, of: count), of: folder)
        }
    }

    /// What the name of a checkpoint's file of elements ends with.
    static func elementsSuffix(_ number: Int, of count: Int) -> String {
        func digits(_ value: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, 5 - text.count)) + text
        }
        return ".data-\(digits(number))-of-\(digits(count))"
    }

    /// Maps a file: that which a person named wherever it leads, others only where they are the folder's own.
    private static func file(
        _ name: String, in folder: String, isNamed: Bool
    ) throws(ModelFormatError) -> Memory {
        isNamed ? try Memory.file("\(folder)/\(name)") : try Memory.member(name, of: folder)
    }
}
