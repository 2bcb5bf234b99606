/// What the callbacks of one transfer share; used by the thread that performs it only.
final class TransferState {
    /// Header bytes of all heads together; a server that sends more is not an honest one.
    private static let maximumHeaderByteCount = 65_536

    private let request: HTTPRequest
    private let receiver: any HTTPReceiver
    private let cancellation: Cancellation
    private var status = 0
    private var fields: [HTTPField] = []
    private var headerByteCount = 0
    private var bodyByteCount = 0
    /// The head of the answer, once it is complete.
    private(set) var head: HTTPHead?
    /// Why a callback ended the transfer.
    private(set) var error: NativeError?
    /// Whether the transfer was ended because the head is all that is wanted.
    private(set) var isAnswered = false

    init(_ request: HTTPRequest, receiver: any HTTPReceiver, cancellation: Cancellation) {
        self.request = request
        self.receiver = receiver
        self.cancellation = cancellation
    }

    var shouldContinue: Bool {
        if cancellation.isCancelled, error == nil {
            error = NativeError(.cancelled, "\(request.address): cancelled")
        }
        return error == nil
    }

    func accepts(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard error == nil, let rule = request.acceptsAddress,
            let address = unsafe IPAddress(networkOrder: Array(bytes))
        else { return false }
        if rule(address) { return true }
        error = NativeError(
            .addressRefused,
            "\(request.address): \(request.address.host) is at \(address), which may not be dialled"
        )
        return false
    }

    func take(header bytes: UnsafeBufferPointer<CChar>) -> Bool {
        headerByteCount += bytes.count
        guard headerByteCount <= Self.maximumHeaderByteCount else {
            return fail(
                .limitExceeded, "the header is longer than \(Self.maximumHeaderByteCount) bytes")
        }
        // Fields after the body change nothing.
        guard head == nil else { return true }
        let text = unsafe String(decoding: bytes.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var line = text[...]
        while let last = line.last, last.isNewline { line = line.dropLast() }
        if line.hasPrefix("HTTP/") {
            status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
            fields = []
        } else if line.isEmpty {
            return finishHead()
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...]
            fields.append(HTTPField(String(line[..<colon]), trimmed(value)))
        }
        return true
    }

    private func finishHead() -> Bool {
        // 1xx are notes on the way to the answer.
        guard status >= 200 else { return true }
        let head = HTTPHead(status: status, fields: fields)
        self.head = head
        guard status == 200 || status == 206 else {
            isAnswered = true
            return false
        }
        if let length = head.contentLength, length > request.maximumByteCount {
            return fail(
                .limitExceeded,
                "the server offers \(length) bytes, more than \(request.maximumByteCount)")
        }
        do throws(NativeError) {
            try receiver.receive(head)
            return true
        } catch {
            self.error = error
            return false
        }
    }

    func take(body bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard shouldContinue else { return false }
        guard bytes.count <= request.maximumByteCount - bodyByteCount else {
            return fail(
                .limitExceeded, "the server sends more than \(request.maximumByteCount) bytes")
        }
        bodyByteCount += bytes.count
        do throws(NativeError) {
            // The library's buffer lives until this callback returns.
            try unsafe receiver.receive(bytes.span)
            return true
        } catch {
            self.error = error
            return false
        }
    }

    private func fail(_ code: NativeError.Code, _ message: String) -> Bool {
        error = NativeError(code, "\(request.address): \(message)")
        return false
    }
}

private func trimmed(_ text: Substring) -> String {
    var text = text
    while let first = text.first, first.isWhitespace { text = text.dropFirst() }
    while let last = text.last, last.isWhitespace { text = text.dropLast() }
    return String(text)
}
