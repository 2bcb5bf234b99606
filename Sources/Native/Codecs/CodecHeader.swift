internal import CCodecs

/// What a picture's file says of itself before anything is decoded.
public struct CodecHeader: Sendable, Hashable {
    /// Pixels from left to right, as stored.
    public let width: Int
    /// Pixels from top to bottom, as stored.
    public let height: Int
    /// The fewest bytes that a whole picture of this size and coding takes; 0 where there is no bound.
    public let minimumByteCount: Int
    /// Whether the file holds frames rather than one picture.
    public let isAnimated: Bool

    init(_ header: ccodecs_header) {
        width = Int(header.width)
        height = Int(header.height)
        minimumByteCount = Int(header.minimum_bit_count / 8)
        isAnimated = header.is_animated != 0
    }
}

/// What happened while a picture was decoded.
public struct CodecReport: Sendable, Hashable {
    /// How often the library worked around damage.
    public let warningCount: Int
    /// The first of these warnings.
    public let firstWarning: String?
    /// False where decoding ended at the first warning, as asked for.
    public let isComplete: Bool
    /// Whether the bytes ended before the picture did.
    public let isCut: Bool

    init(_ status: ccodecs_status) {
        warningCount = Int(status.warning_count)
        firstWarning = warningCount > 0 ? status.text : nil
        isComplete = status.stopped == 0
        isCut = status.is_cut != 0
    }
}

extension ccodecs_status {
    /// The message.
    var text: String {
        // A copy of this value's own array, which the shims end with a NUL.
        unsafe withUnsafeBytes(of: message) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    /// Throws what the shim reports: the one place where a codec's status passes.
    func check() throws(NativeError) {
        let code: NativeError.Code
        switch kind {
        case CCODECS_OK: return
        case CCODECS_MALFORMED: code = .malformed
        case CCODECS_LIMIT: code = .limitExceeded
        case CCODECS_UNSUPPORTED: code = .unsupported
        case CCODECS_MEMORY: code = .resourceExhausted
        default: code = .libraryFailure
        }
        throw NativeError(code, text)
    }

    private var kind: Int { Int(code) }
}

extension ccodecs_buffer {
    /// The bytes that an encoder made, copied; gives the buffer back.
    consuming func take() -> Memory {
        // The shim filled `byte_count` bytes at `bytes`, and nobody else knows them.
        let bytes = unsafe UnsafeBufferPointer(start: self.bytes, count: byte_count)
        let memory = unsafe Memory(copying: bytes.span)
        unsafe ccodecs_free(self)
        return memory
    }
}
