internal import CNetwork

/// A SHA-256 hash over bytes that come in pieces.
///
/// Safe: the library's context is private, belongs to this value alone and is freed with it.
@safe
public struct SHA256: ~Copyable {
    private let context: UnsafeMutableRawPointer

    /// The hash of nothing so far.
    ///
    /// - Throws: `NativeError` with code `.libraryFailure`.
    public init() throws(NativeError) {
        guard let context = unsafe cnetwork_sha256_create() else {
            throw NativeError(.libraryFailure, "SHA-256: the library has no such hash")
        }
        unsafe self.context = context
    }

    deinit { unsafe cnetwork_sha256_destroy(context) }

    /// Adds bytes.
    ///
    /// - Throws: `NativeError` with code `.libraryFailure`.
    public mutating func update(_ bytes: borrowing Span<UInt8>) throws(NativeError) {
        // The library reads the bytes during the call only.
        let isDone = unsafe bytes.withUnsafeBytes { buffer in
            unsafe buffer.isEmpty
                || cnetwork_sha256_update(context, buffer.baseAddress, buffer.count)
        }
        guard isDone else { throw NativeError(.libraryFailure, "SHA-256: the library failed") }
    }

    /// The hash as 64 hexadecimal digits, in lower case.
    ///
    /// - Throws: `NativeError` with code `.libraryFailure`.
    public consuming func finish() throws(NativeError) -> String {
        var digest = [UInt8](repeating: 0, count: Int(CNETWORK_SHA256_SIZE))
        // The digest's size is the constant that the array is made with.
        guard unsafe cnetwork_sha256_finish(context, &digest) else {
            throw NativeError(.libraryFailure, "SHA-256: the library failed")
        }
        let digits = Array("0123456789abcdef")
        return String(digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    /// The hash of a whole file, read in pieces.
    ///
    /// - Throws: `NativeError` with code `.notFound`, `.inputOutput` or `.cancelled`.
    public static func ofFile(
        at path: String, cancellation: Cancellation = Cancellation()
    ) throws(NativeError) -> String {
        let file = try ReadableFile(path)
        var hash = try SHA256()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = try file.read(into: &buffer)
            if count == 0 { return try hash.finish() }
            try hash.update(buffer.span.extracting(first: count))
            if cancellation.isCancelled { throw NativeError(.cancelled, "\(path): cancelled") }
        }
    }
}
