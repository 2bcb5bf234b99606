import FoundationEssentials
import Native

/// A file that is removed with the last reference to it.
final class TemporaryFile: Sendable {
    let path: String

    init(_ bytes: Memory, suffix: String = "") throws {
        let base = FileManager.default.temporaryDirectory.path
        path = "\(base)/resnet-tests-\(UUID().uuidString)\(suffix)"
        try writeFile(bytes, toPath: path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
