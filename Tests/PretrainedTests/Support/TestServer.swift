import Glibc
import Native
import Synchronization
import Testing

/// A request as the test server received it.
struct ReceivedRequest: Sendable {
    let target: String
    let fields: [HTTPField]

    subscript(_ name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The first byte asked for by a Range field; `nil` without one.
    var rangeStart: Int? {
        guard let range = self["Range"], range.hasPrefix("bytes=") else { return nil }
        return range.dropFirst(6).split(separator: "-").first.flatMap { Int($0) }
    }
}

/// What the test server answers.
struct Answer: Sendable {
    var status = 200
    var fields: [HTTPField] = []
    var body: [UInt8] = []
    /// Announces the body's length.
    var announcesLength = true
    /// Sends only so many bytes of the body, and closes.
    var cutAfter: Int?
    /// Sends only so many bytes of the body, and waits until the client is gone.
    var stallAfter: Int?
    /// Called before the body is sent.
    var beforeBody: @Sendable () -> Void = {}
}

/// An HTTP server on a free port of the loopback interface, one connection after the other.
final class TestServer: Sendable {
    struct Log: Sendable {
        var requests: [ReceivedRequest] = []
        var sentBodyByteCounts: [Int] = []
        var connectionCount = 0
    }

    let port: Int
    private let listener: Int32
    private let log = Mutex(Log())
    private let answer: @Sendable (ReceivedRequest, Int) -> Answer

    /// Starts a server; `answer` gets the request and how many came before it.
    convenience init(_ answer: @escaping @Sendable (ReceivedRequest, Int) -> Answer) throws {
        _ = try #require(TestEnvironment.proxy)
        try self.init(unprepared: answer)
    }

    fileprivate init(
        unprepared answer: @escaping @Sendable (ReceivedRequest, Int) -> Answer
    ) throws {
        self.answer = answer
        (listener, port) = try openListener()
        let listener = listener
        // The thread holds the server until `stop()`. It alone closes what it accepts from, so that no
        // other server can get that number while this one still uses it.
        Task {
            await onOwnThread { _ in
                while true {
                    let connection = accept(listener, nil, nil)
                    guard connection >= 0 else { break }
                    self.serve(connection)
                    close(connection)
                }
                close(listener)
            }
        }
    }

    var url: String { "http://127.0.0.1:\(port)" }
    var requests: [ReceivedRequest] { log.withLock { $0.requests } }
    /// The bytes of the body that went out, for each answer.
    var sentBodyByteCounts: [Int] { log.withLock { $0.sentBodyByteCounts } }
    var connectionCount: Int { log.withLock { $0.connectionCount } }

    /// Takes no more connections.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve(_ connection: Int32) {
        log.withLock { $0.connectionCount += 1 }
        guard let request = readRequest(connection) else { return }
        let number = log.withLock { log in
            log.requests.append(request)
            return log.requests.count - 1
        }
        let answer = answer(request, number)
        var head = "HTTP/1.1 \(answer.status) Test\r\nConnection: close\r\n"
        if answer.announcesLength { head += "Content-Length: \(answer.body.count)\r\n" }
        for field in answer.fields { head += "\(field.name): \(field.value)\r\n" }
        sendAll(connection, Array((head + "\r\n").utf8))
        answer.beforeBody()
        let wanted = answer.cutAfter ?? answer.stallAfter ?? answer.body.count
        let part = Array(answer.body.prefix(wanted))
        // Noted before it is sent, so that a client that has it all also sees it here.
        log.withLock { $0.sentBodyByteCounts.append(part.count) }
        sendAll(connection, part)
        if answer.stallAfter != nil { waitForEnd(connection) }
    }
}

/// Settles what the environment says about proxies, once, before anything asks for it.
enum TestEnvironment {
    /// Answers everything itself; it is the proxy for all hosts but the tests' own servers.
    static let proxy: TestServer? = {
        let server = try? TestServer(unprepared: { _, _ in
            Answer(body: Array("from the proxy".utf8))
        })
        guard let server else { return nil }
        for (name, value) in [
            ("http_proxy", server.url), ("no_proxy", "127.0.0.1"), ("NO_PROXY", "127.0.0.1"),
        ] {
            unsafe setenv(name, value, 1)
        }
        return server
    }()
}

struct ServerFailure: Error {
    let step: String
}

private func openListener() throws -> (Int32, Int) {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard listener >= 0 else { throw ServerFailure(step: "socket") }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    // Both calls take the address of a socket address of the size given beside it.
    let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
            unsafe bind(listener, generic, size) == 0 && listen(listener, 16) == 0
                && getsockname(listener, generic, &size) == 0
        }
    }
    guard isBound else { throw ServerFailure(step: "bind") }
    return (listener, Int(UInt16(bigEndian: address.sin_port)))
}

private func receive(_ connection: Int32) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = unsafe recv(connection, &buffer, buffer.count, 0)
    return Array(buffer.prefix(max(0, count)))
}

private func readRequest(_ connection: Int32) -> ReceivedRequest? {
    var bytes: [UInt8] = []
    while true {
        let text = String(decoding: bytes, as: UTF8.self)
        if text.hasSuffix("\r\n\r\n") {
            let lines = text.split(separator: "\r\n")
            let parts = lines[0].split(separator: " ")
            guard parts.count == 3 else { return nil }
            let fields = lines.dropFirst().compactMap { line -> HTTPField? in
                guard let colon = line.firstIndex(of: ":") else { return nil }
                let value = line[line.index(after: colon)...].drop { $0 == " " }
                return HTTPField(String(line[..<colon]), String(value))
            }
            return ReceivedRequest(target: String(parts[1]), fields: fields)
        }
        let more = receive(connection)
        if more.isEmpty { return nil }
        bytes += more
    }
}

private func sendAll(_ connection: Int32, _ bytes: [UInt8]) {
    var sent = 0
    while sent < bytes.count {
        let count = unsafe bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return unsafe send(
                connection, base + sent, buffer.count - sent, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { return }
        sent += count
    }
}

/// Returns when the client has closed its side.
private func waitForEnd(_ connection: Int32) {
    while !receive(connection).isEmpty {}
}
