import FoundationEssentials
import Native

/// A folder that is removed with the last reference to it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        let base = FileManager.default.temporaryDirectory.path
        path = "\(base)/resnet-tests-\(UUID().uuidString)"
        try createFolder(atPath: path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a text.
    func write(_ text: String, to name: String) throws {
        try writeFile(Memory(copying: Array(text.utf8)), toPath: "\(path)/\(name)")
    }

    /// The text of a file.
    func text(of name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: "\(path)/\(name)")), as: UTF8.self)
    }
}
