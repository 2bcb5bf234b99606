internal import CSystem
internal import Glibc

extension Memory {
    /// Maps a file that another file names, such as the one that holds a model's tensors.
    ///
    /// The name comes from a stranger: it has to lead to a regular file within the folder, through no symbolic link,
    /// and the file may have no second name (a hard link), which could be one of somebody else's files.
    ///
    /// - Parameters:
    ///   - name: the path relative to the folder.
    ///   - folder: where the file that names it lies.
    ///   - asksKernel: whether to leave the search to `openat2`, where the kernel has it; else the parts of the path are
    ///     opened one after the other, with the same result.
    /// - Throws: `NativeError` with code `.notFound`, `.inputOutput`, or `.addressRefused` for a name that is not safe.
    package init(
        mapping name: String, beneath folder: String, asksKernel: Bool = true
    ) throws(NativeError) {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
        guard isPlain, !name.utf8.contains(0), name.utf8.count < 4096 else {
            throw NativeError(
                .addressRefused,
                "\(folder): expected the name of a file in this folder, found \(name.debugDescription)"
            )
        }
        // The shim reads the NUL-terminated paths during the call only.
        let descriptor = unsafe csystem_open_beneath(folder, name, asksKernel ? 1 : 0)
        guard descriptor >= 0 else {
            let code = csystem_errno()
            let isRefused = [ELOOP, EXDEV, EMLINK].contains(code)
            let reason =
                switch code {
                case ELOOP: "it passes through a symbolic link"
                case EXDEV: "it leaves the folder"
                case EMLINK: "the file has several names (hard links)"
                default: systemErrorText()
                }
            throw NativeError(
                isRefused ? .addressRefused : code == ENOENT ? .notFound : .inputOutput,
                "\(folder)/\(name): \(isRefused ? "refused" : "cannot be read"): \(reason)")
        }
        let owner = try MemoryOwner.file(descriptor: descriptor, name: "\(folder)/\(name)")
        self.init(owner: owner, offset: 0, byteCount: owner.byteCount)
    }
}
