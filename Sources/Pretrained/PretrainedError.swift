public import Native

/// Weights that cannot be had, or a URL that is not fetched.
public struct PretrainedError: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public enum Code: String, Sendable, CaseIterable {
        /// The catalogue holds no weights of that name.
        case unknownName
        /// The file is not in the cache, and the network may not be used.
        case offline
        /// A server could not be reached, refused, was too slow, or broke off.
        case network
        /// A file is not the one that was published.
        case verification
        /// The cache folder cannot be read or written.
        case inputOutput
        /// The caller gave up.
        case cancelled
        /// A rule forbids to fetch a URL, or it is no URL.
        case refusedURL
        /// A response is larger than allowed.
        case tooLarge
    }

    /// What went wrong.
    public let code: Code
    /// What a person reads: the thing, what was expected, what was found, what to do.
    public let message: String
    /// The HTTP status, where the server's answer was the failure.
    public let httpStatus: Int?
    /// The error underneath.
    public let underlying: NativeError?

    /// Makes an error.
    public init(
        _ code: Code, _ message: String, httpStatus: Int? = nil, underlying: NativeError? = nil
    ) {
        self.code = code
        self.message = message
        self.httpStatus = httpStatus
        self.underlying = underlying
    }

    /// Turns a failure of a transfer or of a file into one of this module.
    ///
    /// - Parameter advice: what to do, appended to the message.
    init(_ error: NativeError, advice: String? = nil) {
        let code: Code =
            switch error.code {
            case .networkFailure, .timedOut: .network
            case .cancelled: .cancelled
            case .addressRefused, .unsupported, .malformed: .refusedURL
            case .limitExceeded: .tooLarge
            case .notFound, .inputOutput, .resourceExhausted, .invalidArgument, .libraryFailure:
                .inputOutput
            }
        let message = advice.map { "\(error.message); \($0)" } ?? error.message
        self.init(code, message, underlying: error)
    }

    /// The message.
    public var description: String { message }
}

/// Calls what fails with an error of the module below, and turns that into one of this module.
func translating<Success: ~Copyable>(
    advice: String? = nil, _ body: () throws(NativeError) -> Success
) throws(PretrainedError) -> Success {
    do throws(NativeError) {
        return try body()
    } catch {
        throw PretrainedError(error, advice: advice)
    }
}
