internal import CSystem

/// One block of memory and the way to give it back.
///
/// Safe to share: the block's address and size never change, `deinit` runs after the last use, and every
/// writer goes through a `MutableMemory`, which is the only reference to its owner while it can write.
@safe
final class MemoryOwner: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    let byteCount: Int
    private let isHeap: Bool

    private init(base: UnsafeMutableRawPointer, byteCount: Int, isHeap: Bool) {
        unsafe self.base = base
        self.byteCount = byteCount
        self.isHeap = isHeap
    }

    /// Page-aligned, zero-filled memory; 2 MiB-aligned with huge pages asked for.
    static func pages(byteCount: Int) throws(NativeError) -> MemoryOwner {
        guard byteCount >= 0 else {
            throw NativeError(.resourceExhausted, "memory: \(byteCount) bytes asked for")
        }
        guard let base = unsafe csystem_allocate_pages(byteCount) else {
            throw NativeError(
                .resourceExhausted,
                "memory: \(byteCount) bytes could not be had: \(systemErrorText())")
        }
        let wanted = (max(byteCount, 1) + 4095) & ~4095
        // The pointer is a fresh mapping of at least `wanted` bytes that nobody else knows.
        return unsafe MemoryOwner(base: base, byteCount: wanted, isHeap: false)
    }

    /// Memory aligned to 64 bytes, with whatever an earlier use left in it.
    static func heap(byteCount: Int) throws(NativeError) -> MemoryOwner {
        guard byteCount >= 0, let base = unsafe csystem_allocate_heap(byteCount) else {
            throw NativeError(.resourceExhausted, "memory: \(byteCount) bytes could not be had")
        }
        // The pointer is a fresh block of at least `byteCount` bytes that nobody else knows.
        return unsafe MemoryOwner(base: base, byteCount: byteCount, isHeap: true)
    }

    static func file(path: String) throws(NativeError) -> MemoryOwner {
        var byteCount = 0
        guard let base = unsafe csystem_map_file(path, &byteCount) else {
            throw NativeError(
                .init(openingFailedWith: csystem_errno()),
                "\(path): expected a readable file: \(systemErrorText())")
        }
        // The mapping is private and read-only; `MutableMemory` is never made of a file.
        return unsafe MemoryOwner(base: base, byteCount: byteCount, isHeap: false)
    }

    /// Maps an open regular file, and closes it.
    static func file(descriptor: CInt, name: String) throws(NativeError) -> MemoryOwner {
        var byteCount = 0
        guard let base = unsafe csystem_map_descriptor(descriptor, &byteCount) else {
            throw NativeError(
                .inputOutput, "\(name): expected a readable file: \(systemErrorText())")
        }
        // As above.
        return unsafe MemoryOwner(base: base, byteCount: byteCount, isHeap: false)
    }

    deinit {
        if isHeap {
            unsafe csystem_free_heap(base)
        } else {
            unsafe csystem_unmap(base, byteCount)
        }
    }
}

/// The text of the calling thread's last system error.
func systemErrorText() -> String {
    let code = csystem_errno()
    return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
        guard let start = buffer.baseAddress else { return "error \(code)" }
        // The shim returns a NUL-terminated text, in the buffer or static.
        return unsafe String(cString: csystem_error_text(code, start, buffer.count))
    }
}
