internal import CSystem

/// Bytes that stay as they are: a mapped file, finished memory, or a part of either.
///
/// Copies share the bytes. A mapped file that another program shortens while it is read ends the process
/// with SIGBUS, as with any memory mapping; see SECURITY.md.
public struct Memory: Sendable {
    let owner: MemoryOwner
    let offset: Int
    /// The number of bytes.
    public let byteCount: Int

    init(owner: MemoryOwner, offset: Int, byteCount: Int) {
        self.owner = owner
        self.offset = offset
        self.byteCount = byteCount
    }

    /// Maps a file for reading, without copying it.
    ///
    /// - Throws: `NativeError` with code `.notFound` or `.inputOutput`.
    public init(mapping path: String) throws(NativeError) {
        let owner = try MemoryOwner.file(path: path)
        self.init(owner: owner, offset: 0, byteCount: owner.byteCount)
    }

    /// Copies elements into new memory.
    public init<Element: BitwiseCopyable>(copying elements: [Element]) {
        self.init(copying: elements.span)
    }

    /// Copies elements into new memory.
    public init<Element: BitwiseCopyable>(copying elements: borrowing Span<Element>) {
        let byteCount = elements.count * MemoryLayout<Element>.stride
        var memory = MutableMemory(byteCount: byteCount)
        var target = memory.mutableSpan(of: Element.self)
        for index in elements.indices { target[index] = elements[index] }
        self = memory.finish()
    }

    /// A part of these bytes, sharing them; `nil` where it would reach outside.
    public func slice(offset: Int, byteCount: Int) -> Memory? {
        guard offset >= 0, byteCount >= 0, offset <= self.byteCount,
            byteCount <= self.byteCount - offset
        else { return nil }
        return Memory(owner: owner, offset: self.offset + offset, byteCount: byteCount)
    }

    /// Whether elements of this type could be read in place.
    public func isAligned<Element: BitwiseCopyable>(for type: Element.Type) -> Bool {
        unsafe Int(bitPattern: owner.base + offset) % MemoryLayout<Element>.alignment == 0
    }

    /// The bytes.
    public var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get { span(of: UInt8.self) }
    }

    /// A copy of the bytes.
    public var array: [UInt8] {
        var array: [UInt8] = []
        array.reserveCapacity(byteCount)
        let bytes = bytes
        for index in bytes.indices { array.append(bytes[index]) }
        return array
    }

    /// The bytes as elements; a rest too short for one is left out.
    ///
    /// - Precondition: `isAligned(for:)`.
    @_lifetime(borrow self)
    public func span<Element: BitwiseCopyable>(of type: Element.Type) -> Span<Element> {
        precondition(isAligned(for: type), "memory is not aligned for \(type)")
        // In bounds by construction, alive as long as `self` is borrowed, aligned by the check above.
        let start = unsafe UnsafeRawPointer(owner.base + offset).assumingMemoryBound(to: type)
        let count = byteCount / MemoryLayout<Element>.stride
        let span = unsafe Span(_unsafeStart: start, count: count)
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    /// The address of the first byte, valid while this value or a copy lives.
    @unsafe
    var unsafeAddress: UnsafeRawPointer { unsafe UnsafeRawPointer(owner.base + offset) }

    /// Calls `body` with the address of the first byte; the address is valid during the call only.
    @unsafe
    func withUnsafeAddress<Result>(_ body: (UnsafeRawPointer) -> Result) -> Result {
        unsafe body(UnsafeRawPointer(owner.base + offset))
    }
}

/// Memory being filled by one owner, which `finish()` turns into `Memory` without a copy.
public struct MutableMemory: ~Copyable, Sendable {
    let owner: MemoryOwner
    /// The number of bytes.
    public let byteCount: Int

    init(owner: MemoryOwner, byteCount: Int) {
        self.owner = owner
        self.byteCount = byteCount
    }

    /// Zero-filled memory, aligned to 2 MiB.
    ///
    /// Traps where the system has no memory left; `init(reserving:)` throws instead.
    public init(byteCount: Int) {
        do {
            try self.init(reserving: byteCount)
        } catch {
            preconditionFailure(error.message)
        }
    }

    /// Zero-filled memory, aligned to 2 MiB, for sizes that come from outside.
    ///
    /// - Throws: `NativeError` with code `.resourceExhausted`.
    public init(reserving byteCount: Int) throws(NativeError) {
        owner = try MemoryOwner.pages(byteCount: byteCount)
        self.byteCount = byteCount
    }

    /// Memory that holds whatever an earlier use left in it, aligned to 64 bytes.
    ///
    /// For buffers that come and go and are written whole: up to 16 MiB it costs no page faults once the
    /// process has had as much before.
    ///
    /// - Throws: `NativeError` with code `.resourceExhausted`.
    public init(uncleared byteCount: Int) throws(NativeError) {
        owner =
            byteCount <= 16 << 20
            ? try MemoryOwner.heap(byteCount: byteCount)
            : try MemoryOwner.pages(byteCount: byteCount)
        self.byteCount = byteCount
    }

    /// The memory as elements to write; a rest too short for one is left out.
    @_lifetime(&self)
    public mutating func mutableSpan<Element: BitwiseCopyable>(
        of type: Element.Type
    ) -> MutableSpan<Element> {
        // A fresh block: aligned, in bounds, and only this value can write it.
        let start = unsafe owner.base.assumingMemoryBound(to: type)
        let count = byteCount / MemoryLayout<Element>.stride
        let span = unsafe MutableSpan(_unsafeStart: start, count: count)
        return unsafe _overrideLifetime(span, mutating: &self)
    }

    /// The memory as elements to read.
    @_lifetime(borrow self)
    public func span<Element: BitwiseCopyable>(of type: Element.Type) -> Span<Element> {
        let start = unsafe UnsafeRawPointer(owner.base).assumingMemoryBound(to: type)
        let count = byteCount / MemoryLayout<Element>.stride
        let span = unsafe Span(_unsafeStart: start, count: count)
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    /// Ends writing: the same bytes, from now on shared and constant.
    public consuming func finish() -> Memory {
        Memory(owner: owner, offset: 0, byteCount: byteCount)
    }

    /// The address of the first byte, valid while this value lives.
    @unsafe
    var unsafeAddress: UnsafeMutableRawPointer { unsafe owner.base }
}
