/// A data set that cannot be read, or a sample of it.
public struct DatasetError: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public enum Code: String, Sendable, CaseIterable {
        /// There is no such file or folder.
        case notFound
        /// It is there and cannot be read.
        case unreadable
        /// The path leads to nothing that holds labelled pictures.
        case notRecognised
        /// A list, shard or record file breaks the rules of its format.
        case malformed
        /// A limit on counts or lengths is exceeded.
        case limitExceeded
        /// A picture that cannot be decoded.
        case badSample
        /// More samples are bad than the caller accepts.
        case tooManyBad
        /// A number or a choice that makes no sense.
        case invalidOption
        /// A result cannot be written.
        case cannotWrite
        /// Memory, threads or open files are short: nothing is wrong with the data.
        case resourceExhausted
    }

    /// What went wrong.
    public let code: Code
    /// What a person reads.
    public let message: String

    /// Makes an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
