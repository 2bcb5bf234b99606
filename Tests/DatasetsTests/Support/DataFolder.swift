import FoundationEssentials
import Images
import Native

/// A folder of data for one test, removed with the last reference to it.
final class DataFolder: Sendable {
    let path: String

    init() throws {
        path = "\(FileManager.default.temporaryDirectory.path)/resnet-data-\(UUID().uuidString)"
        try createFolder(atPath: path)
    }

    deinit {
        // Folders that a test has closed.
        _ = try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Writes a file, with the folders around it, and gives its path.
    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let target = "\(path)/\(name)"
        if let slash = target.lastIndex(of: "/") {
            try createFolder(atPath: String(target[..<slash]))
        }
        // Not by `writeFile`, which waits for the disk each time.
        try Data(bytes).write(to: URL(filePath: target))
        return target
    }

    /// Writes a text.
    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        try write(Array(text.utf8), to: name)
    }

    /// Makes a symbolic link.
    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: "\(path)/\(name)", withDestinationPath: target)
    }

    /// The hash of all names, kinds, lengths and bytes below the folder.
    func hash() throws -> String {
        var hash = try SHA256()
        var folders = [path]
        while let folder = folders.popLast() {
            for (name, kind) in try folderContents(atPath: folder) {
                let inner = "\(folder)/\(name)"
                try hash.update(Array("\(inner) \(kind)\n".utf8).span)
                if kind == .folder { folders.append(inner) }
                if kind == .regular, let bytes = try? Memory(reading: inner) {
                    try hash.update(bytes.bytes)
                }
            }
        }
        return try hash.finish()
    }
}

/// The committed files that these tests read.
enum DataFixtures {
    static let folder: String = {
        let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
        return "/\(tests)/Fixtures"
    }()

    /// A file's bytes.
    static func bytes(_ name: String) throws -> [UInt8] {
        bytesOf(try Memory(reading: "\(folder)/\(name)"))
    }

    /// The lines of a table, split at tabs.
    static func table(_ name: String) throws -> [[String]] {
        String(decoding: try bytes(name), as: UTF8.self).split(separator: "\n").map { line in
            line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }
}

/// The bytes of memory.
func bytesOf(_ memory: Memory) -> [UInt8] {
    let span = memory.bytes
    var bytes: [UInt8] = []
    for index in span.indices { bytes.append(span[index]) }
    return bytes
}
