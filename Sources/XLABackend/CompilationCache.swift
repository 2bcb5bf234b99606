import Native

/// Compiled programs on disk, in the user's own folder, so that a second start need not compile.
///
/// A program's file is named by the hash of everything that it follows from: text, options, plugin and its version,
/// kind of device. A file that cannot be read, or that the plugin refuses, is compiled anew and replaced; one that
/// cannot be written is left out.
struct CompilationCache {
    private let folder: String?

    /// A cache in a folder, which is made when the first program is kept; none where `nil`.
    init(_ folder: String?) { self.folder = folder }

    /// A program, loaded or compiled.
    func executable(
        _ program: String, _ options: PJRTCompileOptions, _ client: PJRTClient
    ) throws(NativeError) -> PJRTExecutable {
        guard let folder else { return try client.compile(program, options) }
        let path = "\(folder)/\(try key(program, options, client)).xla"
        if let file = try? Memory(mapping: path),
            let executable = try? client.load(serialized: file.array, options)
        {
            return executable
        }
        let executable = try client.compile(program, options)
        if let bytes = try? executable.serialized() { try? write(bytes, to: path) }
        return executable
    }

    private func write(_ bytes: [UInt8], to path: String) throws(NativeError) {
        guard let folder else { return }
        try createFolder(atPath: folder)
        var file = try ReplacementFile(replacing: path)
        try file.write(bytes)
        try file.commit()
    }

    private func key(
        _ program: String, _ options: PJRTCompileOptions, _ client: PJRTClient
    ) throws(NativeError) -> String {
        var hash = try SHA256()
        let attributes = client.plugin.attributes.sorted { $0.key < $1.key }
        let parts = [
            program, "\(options.serialized)", client.plugin.apiVersion, "\(attributes)",
            client.platformName, client.platformVersion,
            client.devices.map(\.kind).joined(separator: ","),
        ]
        for part in parts {
            // The length ends a part, so that no two lists of parts read alike.
            try hash.update(Array("\(part.utf8.count):\(part)".utf8).span)
        }
        return try hash.finish()
    }
}
