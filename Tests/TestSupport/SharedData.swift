import Foundation

/// The real weights and photos that the project is checked against; tests are skipped without them.
package enum SharedData {
    private static let root =
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

    /// Their folder: `RESNET_SHARED_DATA`, else beside the package; `nil` where it is not there.
    package static let folder: String? = {
        let named = ProcessInfo.processInfo.environment["RESNET_SHARED_DATA"]
        let path = named ?? root + "/../shared/data"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    /// The path of one of its files or folders; `nil` where that is not there.
    package static func path(_ name: String) -> String? {
        guard let folder else { return nil }
        let path = "\(folder)/\(name)"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    private static let unpacker: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "")
        .split(separator: ":").map { "\($0)/xz" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    /// Whether the photos are there, and the weights can be unpacked.
    package static var isAvailable: Bool { path("photos/labels.csv") != nil && unpacker != nil }

    /// A weight file, unpacked once into `.build/test-weights`.
    package static func weights(_ name: String) throws -> String {
        let path = "\(root)/.build/test-weights/\(name)"
        let files = FileManager.default
        if files.fileExists(atPath: path) { return path }
        try files.createDirectory(
            atPath: root + "/.build/test-weights", withIntermediateDirectories: true)
        let part = "\(path).\(UUID().uuidString)"
        _ = files.createFile(atPath: part, contents: nil)
        let process = Process()
        process.executableURL = URL(filePath: unpacker ?? "")
        process.arguments = ["-dc", "\(folder ?? "")/weights/\(name).xz"]
        process.standardOutput = FileHandle(forWritingAtPath: part)
        try process.run()
        process.waitUntilExit()
        if files.fileExists(atPath: path) {
            try files.removeItem(atPath: part)
        } else {
            try files.moveItem(atPath: part, toPath: path)
        }
        return path
    }

    /// The photos' paths and classes, in the order of the reference logits.
    package static func photos() throws -> [(path: String, index: Int)] {
        let folder = (folder ?? "") + "/photos/"
        let table = try String(contentsOfFile: folder + "labels.csv", encoding: .utf8)
        return table.split { $0.isNewline }.dropFirst().compactMap { line in
            let fields = line.split(separator: ",", maxSplits: 2)
            guard fields.count == 3, let index = Int(fields[1]) else { return nil }
            return (folder + fields[0], index)
        }
    }
}
