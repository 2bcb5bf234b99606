import Native

/// Where a model keeps a tensor's elements outside of itself.
///
/// The path has to lead to a regular file in the model's own folder or below it, through no symbolic link, and the file may
/// have no second name: a model comes from a stranger, and its paths must not reach the reader's other files.
///
/// Source: ONNX 1.23, `docs/ExternalData.md`; stricter than it on links.
struct ONNXExternalData {
    private let label: String
    private var location: String?
    private var offset = 0
    private var byteCount: Int?

    /// Reads what a tensor says of its place.
    ///
    /// - Throws: `ModelFormatError` with code `.malformed`.
    init(
        _ entries: [ONNXStringStringEntryProto], label: String
    ) throws(ModelFormatError) {
        self.label = label
        for entry in entries {
            switch entry.key {
            case "location": location = entry.value
            case "offset": offset = try Self.number(entry, label)
            case "length": byteCount = try Self.number(entry, label)
            default: break
            }
        }
    }

    private static func number(
        _ entry: ONNXStringStringEntryProto, _ label: String
    ) throws(ModelFormatError) -> Int {
        guard let number = Int(entry.value), number >= 0 else {
            throw ModelFormatError(
                .malformed,
                "\(label): expected a number of bytes as the external data's \(entry.key), found "
                    + "\(entry.value.prefix(40).debugDescription)")
        }
        return number
    }

    /// Maps the elements.
    ///
    /// - Parameter folder: the model's folder; `nil` where the model's bytes come from no file.
    /// - Throws: `ModelFormatError` with code `.forbidden` for a path that is not safe, `.missingEntry` where there is no
    ///   such file, `.sizeMismatch` where it is too short, `.inputOutput`.
    func read(in folder: String?) throws(ModelFormatError) -> Memory {
        guard let folder else {
            throw ModelFormatError(
                .missingEntry, "\(label): its elements are in another file, which was not given")
        }
        guard let location else {
            throw ModelFormatError(
                .malformed, "\(label): expected the name of the external data's file, found none")
        }
        let memory: Memory
        do {
            memory = try Memory.member(location, of: folder)
        } catch {
            throw ModelFormatError(error.code, "\(label): external data: \(error.message)")
        }
        let (rest, overflow) = memory.byteCount.subtractingReportingOverflow(offset)
        guard !overflow, rest >= 0,
            let bytes = memory.slice(offset: offset, byteCount: byteCount ?? rest)
        else {
            throw ModelFormatError(
                .sizeMismatch,
                "\(label): expected \(byteCount.map { "\($0) bytes" } ?? "elements") from byte "
                    + "\(offset) of \(location), found a file of \(memory.byteCount) bytes")
        }
        return bytes
    }
}
