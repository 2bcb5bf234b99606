internal import CPJRT

/// Calls a function of the shim and throws what it reports.
///
/// - Parameters:
///   - action: what is done, as in "compile the program".
///   - plugin: the plugin's path; messages name its file.
///   - seeking: whether a state of the machine that the call does not find fit means that a device is missing.
///   - body: the call, which fills the failure it is given where it fails.
func callPJRT<Result>(
    _ action: String, _ plugin: String, seeking: Bool = false,
    _ body: (UnsafeMutablePointer<cpjrt_failure>) -> Result
) throws(NativeError) -> Result {
    var failure = unsafe cpjrt_failure()
    let result = unsafe body(&failure)
    guard unsafe failure.code != 0 else { return result }
    // The message is `size` bytes that the failure owns until it is cleared.
    let message = unsafe text(cpjrt_text(start: failure.message, size: failure.size))
    let status = unsafe PJRTStatus(code: failure.code)
    unsafe cpjrt_failure_clear(&failure)
    throw NativeError(
        status.errorCode(seeking: seeking),
        "\(fileName(of: plugin)): cannot \(action): \(message)\(status.suffix)")
}

/// The last part of a path.
func fileName(of path: String) -> String {
    String(path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...])
}

/// A text of the shim's, copied.
func text(_ text: cpjrt_text) -> String {
    // The plugin's texts are `size` bytes that live as long as what they were asked of, which the caller holds.
    unsafe String(
        decoding: UnsafeRawBufferPointer(
            start: text.start, count: text.start == nil ? 0 : text.size),
        as: UTF8.self)
}

/// A plugin's status, or one of the shim's own.
private struct PJRTStatus {
    let code: Int32

    /// What callers branch on.
    func errorCode(seeking: Bool) -> NativeError.Code {
        switch Int(code) {
        case CPJRT_NOT_OPENED, CPJRT_NOT_A_PLUGIN, CPJRT_OTHER_VERSION, CPJRT_NO_SUCH_CALL:
            .unsupported
        case CPJRT_NO_MEMORY: .resourceExhausted
        case 3: .invalidArgument
        case 5, 9, 14: seeking ? .notFound : .libraryFailure
        case 8: .resourceExhausted
        case 12: .unsupported
        default: .libraryFailure
        }
    }

    /// The name of the plugin's code, to end a message with.
    var suffix: String {
        guard code > 0 else { return "" }
        return " (\(Int(code) <= Self.names.count ? Self.names[Int(code) - 1] : "code \(code)"))"
    }

    /// From 1 on.
    private static let names = [
        "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
        "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
        "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
        "UNAUTHENTICATED",
    ]
}
