internal import CNetwork

/// What takes a response as it comes in.
///
/// Called on the thread that performs the transfer. An error ends the transfer and is thrown by it.
public protocol HTTPReceiver: AnyObject {
    /// Takes the head of a response with status 200 or 206, before its body.
    func receive(_ head: HTTPHead) throws(NativeError)
    /// Takes the next bytes of the body.
    func receive(_ bytes: borrowing Span<UInt8>) throws(NativeError)
}

/// GET requests over libcurl.
public enum HTTPTransfer {
    /// Performs a request, blocking the calling thread; see `onOwnThread`.
    ///
    /// The body is handed over for statuses 200 and 206 only; for any other the transfer ends with the head.
    ///
    /// - Parameters:
    ///   - request: what to get.
    ///   - receiver: takes the body.
    ///   - cancellation: ends the transfer within about a tenth of a second.
    /// - Returns: the head of the response.
    /// - Throws: `NativeError` with code `.addressRefused`, `.networkFailure`, `.timedOut`, `.cancelled`,
    ///   `.limitExceeded`, `.malformed`, or what the receiver throws.
    public static func perform(
        _ request: HTTPRequest, into receiver: any HTTPReceiver, cancellation: Cancellation
    ) throws(NativeError) -> HTTPHead {
        let state = TransferState(request, receiver: receiver, cancellation: cancellation)
        let (code, message) = withExtendedLifetime(state) { call(request, state: state) }
        if let error = state.error { throw error }
        if code == CNETWORK_OK || (code == CNETWORK_STOPPED && state.isAnswered) {
            guard let head = state.head else {
                throw NativeError(
                    .networkFailure, "\(request.address): the server closed without an answer")
            }
            return head
        }
        throw error(code, message, request: request)
    }

    private static func call(
        _ request: HTTPRequest, state: TransferState
    ) -> (cnetwork_code, String) {
        var raw = unsafe cnetwork_request()
        unsafe raw.connect_timeout_ms = max(1, request.connectTimeout.milliseconds)
        unsafe raw.total_timeout_ms = request.totalTimeout.map { max(1, $0.milliseconds) } ?? 0
        unsafe raw.stall_bytes_per_second = 1024
        unsafe raw.stall_seconds = Int64(max(0, request.stallSeconds))
        unsafe raw.uses_environment_proxy = request.proxy == .environment
        // The callbacks run inside this call, on this thread, while the state is kept alive.
        unsafe raw.context = Unmanaged.passUnretained(state).toOpaque()
        if request.acceptsAddress != nil {
            unsafe raw.on_address = { context, bytes, count in
                unsafe transferState(context).accepts(
                    UnsafeBufferPointer(start: bytes, count: count))
            }
        }
        unsafe raw.on_header = { context, bytes, count in
            unsafe transferState(context).take(
                header: UnsafeBufferPointer(start: bytes, count: count))
        }
        unsafe raw.on_body = { context, bytes, count in
            unsafe transferState(context).take(
                body: UnsafeBufferPointer(start: bytes, count: count))
        }
        unsafe raw.should_continue = { context in unsafe transferState(context).shouldContinue }
        let address = request.address
        let resolve = request.resolvedHost.map { resolved in
            "\(address.host):\(address.port):\(resolved.isVersion4 ? "\(resolved)" : "[\(resolved)]")"
        }
        let headers = request.fields.map { "\($0.name): \($0.value)\n" }.joined()
        var message = [CChar](repeating: 0, count: Int(CNETWORK_MESSAGE_SIZE))
        // The texts live during the call, and the message has the size that the shim writes at most.
        let code = unsafe address.text.withCString { url in
            unsafe headers.withCString { headerLines in
                unsafe (resolve ?? "").withCString { resolveText in
                    unsafe raw.url = url
                    unsafe raw.header_lines = headerLines
                    unsafe raw.resolve = resolve == nil ? nil : resolveText
                    return unsafe cnetwork_perform(&raw, &message)
                }
            }
        }
        let text = String(
            decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return (code, text)
    }

    private static func error(
        _ code: cnetwork_code, _ message: String, request: HTTPRequest
    ) -> NativeError {
        let text = "\(request.address): \(message)"
        switch code {
        case CNETWORK_STOPPED: return NativeError(.cancelled, "\(request.address): cancelled")
        case CNETWORK_TIMED_OUT: return NativeError(.timedOut, text)
        case CNETWORK_FAILED: return NativeError(.networkFailure, text)
        case CNETWORK_MALFORMED_URL: return NativeError(.malformed, text)
        case CNETWORK_UNSUPPORTED_SCHEME: return NativeError(.unsupported, text)
        case CNETWORK_OUT_OF_MEMORY: return NativeError(.resourceExhausted, text)
        default: return NativeError(.libraryFailure, text)
        }
    }
}

/// The state that a callback's context points to.
private func transferState(_ context: UnsafeMutableRawPointer?) -> TransferState {
    guard let context = unsafe context else { preconditionFailure("a transfer without its state") }
    // `HTTPTransfer.call` passed the state, and keeps it alive until the library has returned.
    return unsafe Unmanaged<TransferState>.fromOpaque(context).takeUnretainedValue()
}

extension Duration {
    /// Whole milliseconds, rounded down, within what the library takes.
    fileprivate var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        guard seconds < 1_000_000_000 else { return 1_000_000_000_000 }
        return max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }
}
