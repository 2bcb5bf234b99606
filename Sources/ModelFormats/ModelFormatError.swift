package import Native

/// A file of weights or numbers that cannot be read or written.
public struct ModelFormatError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, for callers that branch.
    public enum Code: String, Sendable, CaseIterable {
        /// There is no such file, or no such folder to write to.
        case notFound
        /// The operating system refused to read the file, or the path names a folder.
        case inputOutput
        /// A file could not be created or written.
        case cannotWrite
        /// The bytes are of no format that is read here; the message says what they look like.
        case unknownFormat
        /// The format is known, but not this form of it.
        case unsupported
        /// The bytes break the rules of their format.
        case malformed
        /// Something is larger, longer or deeper than is accepted.
        case limitExceeded
        /// An archive's entries overlap, contradict themselves, or have unsafe names.
        case unsafeArchive
        /// Bytes do not have the checksum that their file states.
        case checksumMismatch
        /// A pickle asks for something that weights do not need, or a model for a file that is not its own.
        case forbidden
        /// A part that the file refers to is not in it.
        case missingEntry
        /// A tensor reaches outside its storage, or a size contradicts another.
        case sizeMismatch
        /// The file holds no weights, or not the ones asked for.
        case noWeights
    }

    /// What went wrong.
    public let code: Code
    /// What a person reads: the file, what was expected, what was found, what to do.
    public let message: String

    /// Makes an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}

extension ModelFormatError {
    /// Reports a failure to read a file.
    init(reading path: String, _ error: NativeError) {
        if isFolder(path) {
            self.init(
                .unknownFormat,
                "\(path): expected a file of weights, or the folder of a SavedModel or a checkpoint, "
                    + "found a folder of neither; name the file in it")
        } else {
            self.init(error.code == .notFound ? .notFound : .inputOutput, error.message)
        }
    }

    /// Reports a failure to write a file.
    package init(writing error: NativeError) {
        self.init(error.code == .notFound ? .notFound : .cannotWrite, error.message)
    }
}
