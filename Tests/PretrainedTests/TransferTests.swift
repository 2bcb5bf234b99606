import Native
import Pretrained
import Testing

@Suite("Transfers", .timeLimit(.minutes(1)))
struct TransferTests {
    /// Performs a request on a thread of its own, since the servers need those of the tasks.
    private func perform(
        _ request: HTTPRequest, cancelled: Bool = false
    ) async throws(NativeError) -> HTTPHead {
        try await onOwnThread { cancellation throws(NativeError) in
            if cancelled { cancellation.cancel() }
            return try HTTPTransfer.perform(
                request, into: MemoryReceiver(), cancellation: cancellation)
        }
    }

    @Test("give status and fields, whatever the case of their names")
    func givesHead() async throws {
        let server = try TestServer { request, _ in
            Answer(
                status: 404, fields: [HTTPField("X-Echo", request["X-Question"] ?? "none")],
                body: Array("not here".utf8))
        }
        defer { server.stop() }
        var request = HTTPRequest(try WebAddress("\(server.url)/a"))
        request.fields = [HTTPField("X-Question", "one: two"), HTTPField("X-Other", "three")]
        let head = try await perform(request)
        #expect(head.status == 404)
        #expect(head["x-echo"] == "one: two")
        #expect(head.contentLength == 8)
        #expect(head.redirectTarget == nil)
        #expect(server.requests.first?["X-Other"] == "three")
    }

    @Test("end where a server's header has no end")
    func limitsHeader() async throws {
        let server = try TestServer { _, _ in
            Answer(fields: [HTTPField("X-Long", String(repeating: "a", count: 70_000))])
        }
        defer { server.stop() }
        let request = HTTPRequest(try WebAddress(server.url))
        let error = await #expect(throws: NativeError.self) { try await perform(request) }
        #expect(error?.code == .limitExceeded)
        #expect(error?.message.contains("65536") == true)
    }

    @Test("do not begin where they were cancelled before")
    func stopsBeforeStart() async throws {
        let server = try TestServer { _, _ in Answer() }
        defer { server.stop() }
        let request = HTTPRequest(try WebAddress(server.url))
        let error = await #expect(throws: NativeError.self) {
            try await perform(request, cancelled: true)
        }
        #expect(error?.code == .cancelled)
        #expect(server.connectionCount == 0)
    }

    @Test("end where the server sends less than it announced")
    func noticesShortBody() async throws {
        let server = try TestServer { _, _ in
            Answer(body: [UInt8](repeating: 1, count: 100), cutAfter: 99)
        }
        defer { server.stop() }
        let request = HTTPRequest(try WebAddress(server.url))
        let error = await #expect(throws: NativeError.self) { try await perform(request) }
        #expect(error?.code == .networkFailure)
    }
}

@Suite("URLs")
struct WebAddressTests {
    @Test("are split as they will be dialled")
    func splits() throws {
        let address = try WebAddress("HTTPS://Photos.Example.com/a/b%20c.jpg?x=1#part")
        #expect(address.scheme == "https")
        #expect(address.host.lowercased() == "photos.example.com")
        #expect(address.port == 443)
        #expect(address.path == "/a/b%20c.jpg")
        #expect(address.fileName == "b%20c.jpg")
        #expect(!address.text.contains("#"))
        #expect(try WebAddress("http://example.com:8080").port == 8080)
        #expect(try WebAddress("http://0x7f.1/").numericHost == IPAddress("127.0.0.1"))
        #expect(try WebAddress("http://[2001:db8::1]/").numericHost == IPAddress("2001:db8::1"))
        #expect(try WebAddress("http://example.com/").numericHost == nil)
    }

    @Test("are read relative to the URL that redirects")
    func resolves() throws {
        let base = try WebAddress("http://example.com/a/b?c")
        #expect(try WebAddress("/d", relativeTo: base).text == "http://example.com/d")
        #expect(try WebAddress("../e", relativeTo: base).text == "http://example.com/e")
        #expect(try WebAddress("//other.example/f", relativeTo: base).host == "other.example")
        #expect(try WebAddress("https://other.example", relativeTo: base).port == 443)
    }
}

@Suite("Files being written")
struct WritableFileTests {
    @Test("say that the disk is full")
    func reportsFullDisk() throws {
        var file = try WritableFile(appendingTo: "/dev/full")
        let bytes: [UInt8] = [1, 2, 3]
        do throws(NativeError) {
            try file.write(bytes.span)
            Issue.record("a full disk took three bytes")
        } catch {
            #expect(error.code == .inputOutput)
            #expect(error.message.contains("/dev/full: cannot be written"))
        }
    }

    @Test("are appended to, cut and replaced")
    func appends() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/file"
        do {
            var file = try WritableFile(appendingTo: path)
            try file.write([1, 2, 3].span)
        }
        do {
            var file = try WritableFile(appendingTo: path)
            #expect(file.byteCount == 3)
            try file.truncate(to: 2)
            try file.write([9].span)
            try file.synchronize()
        }
        #expect(folder.bytes("file") == [1, 2, 9])
        try folder.write([7], to: "new")
        try FileSystem.replace(path, with: "\(folder.path)/new")
        #expect(folder.bytes("file") == [7])
        #expect(folder.names == ["file"])
        #expect(FileSystem.byteCount(of: path) == 1)
        #expect(FileSystem.byteCount(of: folder.path) == nil)
        try FileSystem.removeFile(path)
        try FileSystem.removeFile(path)
        #expect(folder.names == [])
    }
}
