internal import CSystem

/// A file being written beside the one it will replace.
///
/// Until `commit()` the old file stays as it is; after it the new one is there whole, also after a power cut.
/// A value that is dropped before removes what it wrote. A symbolic link at the path is replaced, not followed.
public struct ReplacementFile: ~Copyable {
    private let path: String
    private let folder: String
    private let temporaryPath: String
    private var descriptor: Int32

    /// Creates an empty file in the folder of `path`, under a hidden name that nobody else has.
    ///
    /// - Throws: `NativeError` with code `.notFound` where the folder does not exist, else `.inputOutput`.
    public init(replacing path: String) throws(NativeError) {
        let parts = PathParts(path)
        let (folder, name) = (parts.folder, parts.name)
        guard !name.isEmpty, name != ".", name != "..", !isFolder(path) else {
            throw NativeError(.inputOutput, "\(path): expected the name of a file, found a folder")
        }
        let mark = String(UInt64.random(in: .min ... .max), radix: 36)
        let temporaryPath = "\(folder)/.\(name).\(mark).part"
        // The shim reads the NUL-terminated path during the call only.
        let descriptor = unsafe csystem_create_new(temporaryPath)
        guard descriptor >= 0 else {
            let missing = csystem_errno() == 2
            throw NativeError(
                missing ? .notFound : .inputOutput,
                "\(path): cannot be created in \(folder): \(systemErrorText())")
        }
        self.path = path
        self.folder = folder
        self.temporaryPath = temporaryPath
        self.descriptor = descriptor
    }

    /// Appends bytes.
    ///
    /// - Throws: `NativeError` with code `.inputOutput`, as on a full disk.
    public mutating func write(_ bytes: Memory) throws(NativeError) {
        // The buffer is valid during the call.
        let status = unsafe bytes.bytes.withUnsafeBytes { buffer in
            unsafe csystem_write_all(descriptor, buffer.baseAddress, buffer.count)
        }
        guard status == 0 else {
            throw NativeError(.inputOutput, "\(path): cannot be written: \(systemErrorText())")
        }
    }

    /// Appends bytes.
    ///
    /// - Throws: `NativeError` with code `.inputOutput`, as on a full disk.
    public mutating func write(_ bytes: [UInt8]) throws(NativeError) {
        // The buffer is valid during the call.
        let status = unsafe bytes.withUnsafeBytes { buffer in
            unsafe csystem_write_all(descriptor, buffer.baseAddress, buffer.count)
        }
        guard status == 0 else {
            throw NativeError(.inputOutput, "\(path): cannot be written: \(systemErrorText())")
        }
    }

    /// Puts the file in its place once all its bytes are on the device.
    ///
    /// - Parameter previous: another name in the same folder, which an old file gets right before; where the process
    ///   ends between the two, the old file is there under this name.
    /// - Throws: `NativeError` with code `.inputOutput`. The old file is then in its place, unless all that failed is
    ///   to wait for the device, which may then have either.
    public consuming func commit(keepingOldAs previous: String? = nil) throws(NativeError) {
        let status = csystem_sync_and_close(descriptor)
        descriptor = -1
        guard status == 0 else { throw Self.failure(path, "replaced") }
        var moved: String?
        // The shims read the NUL-terminated paths during the calls only.
        if let previous, FileSystem.byteCount(of: path) != nil {
            guard unsafe csystem_rename_in_folder(path, previous, folder) >= 0 else {
                throw Self.failure(path, "kept as \(previous)")
            }
            // Where the device has not got this yet, it will be told again below.
            moved = previous
        }
        let result = unsafe csystem_rename_in_folder(temporaryPath, path, folder)
        guard result != 0 else { return }
        let error = Self.failure(path, result < 0 ? "replaced" : "flushed to the device")
        // What cannot be undone either is still there under the other name.
        if result < 0, let moved { _ = unsafe csystem_rename_in_folder(moved, path, folder) }
        throw error
    }

    private static func failure(_ path: String, _ verb: String) -> NativeError {
        NativeError(.inputOutput, "\(path): cannot be \(verb): \(systemErrorText())")
    }

    deinit {
        if descriptor >= 0 { csystem_close(descriptor) }
        // After a commit the name is gone and this does nothing.
        unsafe csystem_remove(temporaryPath)
    }
}

/// Whether a path names a folder.
public func isFolder(_ path: String) -> Bool {
    // The shim reads the NUL-terminated path during the call only.
    unsafe csystem_is_folder(path) != 0
}
