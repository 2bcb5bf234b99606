import Native
import Pretrained
import Testing

@Suite("URLs of strangers", .timeLimit(.minutes(1)))
struct URLPolicyTests {
    /// What must not be fetched, whoever asks.
    static let refusedURLs = [
        // This machine, in all spellings
        "http://127.0.0.1/", "http://127.1/", "http://2130706433/", "http://0x7f000001/",
        "http://0177.0.0.1/", "http://0x7f.0.0.0x1/", "http://0.0.0.0/", "http://0/",
        "http://localhost/", "http://localhost./", "http://LOCALHOST/", "http://cat.localhost/",
        "http://[::1]/", "http://[::]/", "http://[::ffff:127.0.0.1]/", "http://[::127.0.0.1]/",
        "http://127.0.0.1../",
        // Machines that only this one can reach
        "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://172.31.255.255/",
        "http://192.168.1.1/", "http://100.64.0.1/", "http://[fd00::1]/",
        "http://[fe80::1%25eth0]/",
        "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[ff02::1]/",
        // Addresses of nobody
        "http://192.0.2.1/", "http://198.18.0.1/", "http://224.0.0.1/", "http://255.255.255.255/",
        "http://[2001:db8::1]/",
        // User names, to make a host look like another
        "http://example.com@127.0.0.1/", "http://user:password@example.com/",
        "http://example.com%40127.0.0.1/", "http://example.com\\@127.0.0.1/",
        // Other protocols and ports
        "file:///etc/passwd", "ftp://example.com/cat.jpg", "gopher://example.com/", "data:,cat",
        "javascript:alert(1)", "http://example.com:22/", "https://example.com:8080/",
        "http://example.com:65616/", "http://example.com:-80/",
        // Not URLs
        "", "cat.jpg", "//example.com/cat.jpg", "http://", "http:///", "http://exa mple.com/",
        "http://example.com/\u{0}.jpg", "http://example.com\r\nHost: localhost/", "http://[::1",
        "http://[1:2]/",
    ]

    @Test("are refused where they lead to this network or are none", arguments: refusedURLs)
    func refuses(url: String) async {
        let error = await failure { () async throws(PretrainedError) in
            _ = try await RemoteImage.fetch(url)
        }
        #expect(error?.code == .refusedURL, "\(error?.message ?? "fetched")")
    }

    @Test("are refused where only the dialled address shows where they lead")
    func refusesAtTheSocket() async throws {
        // Digits in circles become plain ones after all checks of the text.
        let error = await failure { () async throws(PretrainedError) in
            _ = try await RemoteImage.fetch(
                "http://\u{2460}\u{2461}\u{2466}.\u{24ea}.\u{24ea}.\u{2460}/")
        }
        #expect(error?.code == .refusedURL)
        #expect(error?.underlying?.code == .addressRefused, "\(error?.message ?? "fetched")")
    }

    @Test("are refused where a public name resolves to a private address")
    func refusesRebinding() async throws {
        let server = try TestServer { _, _ in Answer(body: Array("secret".utf8)) }
        defer { server.stop() }
        for inside in ["127.0.0.1", "::1", "169.254.169.254", "::ffff:127.0.0.1"] {
            var policy = URLPolicy.commandLine
            policy.ports = [server.port]
            policy.resolvedHosts = ["photos.example.com": try #require(IPAddress(inside))]
            let strict = policy
            let error = await failure { () async throws(PretrainedError) in
                _ = try await RemoteImage.fetch(
                    "http://photos.example.com:\(server.port)/cat.jpg", policy: strict)
            }
            #expect(error?.code == .refusedURL)
            #expect(error?.underlying?.code == .addressRefused)
            #expect(error?.message.contains("which may not be dialled") == true)
        }
        #expect(server.connectionCount == 0)
    }

    /// The policy that lets the test server through, and nothing else.
    private func policy(_ server: TestServer) throws -> URLPolicy {
        var policy = URLPolicy.commandLine
        let loopback = try #require(IPAddress("127.0.0.1"))
        policy.acceptsAddress = { $0 == loopback }
        policy.ports = [server.port]
        return policy
    }

    private func error(fetching url: String, _ policy: URLPolicy) async -> PretrainedError? {
        await failure { () async throws(PretrainedError) in
            _ = try await RemoteImage.fetch(url, policy: policy)
        }
    }

    @Test("give the bytes that they name")
    func fetches() async throws {
        let body = TestFile(seed: 3).bytes
        let server = try TestServer { _, _ in Answer(body: body) }
        defer { server.stop() }
        let memory = try await RemoteImage.fetch(
            "\(server.url)/a%20cat.jpg?size=1#eyes", policy: policy(server))
        #expect(memory.byteCount == body.count)
        #expect(memory.bytes.indices.allSatisfy { memory.bytes[$0] == body[$0] })
        #expect(server.requests.map(\.target) == ["/a%20cat.jpg?size=1"])
    }

    @Test("do not go through the proxy of the environment")
    func avoidsProxy() async throws {
        let server = try TestServer { _, _ in Answer(body: Array("direct".utf8)) }
        defer { server.stop() }
        var policy = try policy(server)
        policy.resolvedHosts = ["direct.example": try #require(IPAddress("127.0.0.1"))]
        let memory = try await RemoteImage.fetch(
            "http://direct.example:\(server.port)/", policy: policy)
        #expect(memory.byteCount == 6)
        #expect(server.requests.count == 1)
        let proxy = try #require(TestEnvironment.proxy)
        #expect(!proxy.requests.contains { $0.target.contains("direct.example") })
    }

    @Test(
        "are checked again after each redirect",
        arguments: [
            "http://169.254.169.254/latest/", "http://127.0.0.1:22/", "file:///etc/passwd",
            "//192.168.0.1/", "ftp://example.com/", "http://user@example.com/", "http://[::1]/",
        ])
    func checksRedirects(target: String) async throws {
        let server = try TestServer { _, _ in
            Answer(status: 302, fields: [HTTPField("Location", target)])
        }
        defer { server.stop() }
        var policy = try policy(server)
        policy.ports.formUnion([80, 443])
        let error = await error(fetching: "\(server.url)/", policy)
        #expect(error?.code == .refusedURL)
        #expect(server.connectionCount == 1)
    }

    @Test("follow three redirects and no more")
    func limitsRedirects() async throws {
        let server = try TestServer { request, _ in
            let step = Int(request.target.dropFirst()) ?? 0
            if step == 0 { return Answer(body: Array("here".utf8)) }
            return Answer(status: 308, fields: [HTTPField("Location", "/\(step - 1)")])
        }
        defer { server.stop() }
        let memory = try await RemoteImage.fetch("\(server.url)/3", policy: policy(server))
        #expect(memory.byteCount == 4)
        let error = try await error(fetching: "\(server.url)/4", policy(server))
        #expect(error?.code == .network)
        #expect(error?.message.contains("more than 3 redirects") == true)
        #expect(server.connectionCount == 8)
    }

    @Test("give at most as many bytes as the policy says", arguments: [true, false])
    func limitsSize(isAnnounced: Bool) async throws {
        let server = try TestServer { request, _ in
            Answer(
                body: [UInt8](repeating: 1, count: request.target == "/fits" ? 1000 : 1001),
                announcesLength: isAnnounced)
        }
        defer { server.stop() }
        var policy = try policy(server)
        policy.maximumByteCount = 1000
        let memory = try await RemoteImage.fetch("\(server.url)/fits", policy: policy)
        #expect(memory.byteCount == 1000)
        let error = await error(fetching: "\(server.url)/toolarge", policy)
        #expect(error?.code == .tooLarge)
        #expect(error?.message.contains("1000") == true)
    }

    @Test("do not wait for a server that is silent for longer than the policy says")
    func limitsTime() async throws {
        let server = try TestServer { _, _ in
            Answer(body: [UInt8](repeating: 1, count: 1000), stallAfter: 10)
        }
        defer { server.stop() }
        var policy = try policy(server)
        policy.totalTimeout = .milliseconds(200)
        let clock = ContinuousClock()
        let start = clock.now
        let error = await error(fetching: "\(server.url)/", policy)
        #expect(error?.code == .network)
        #expect(error?.underlying?.code == .timedOut)
        // Without a limit of its own the transfer would give up after ten seconds.
        #expect(clock.now - start < .seconds(10))
    }

    @Test("stop soon after their task was cancelled")
    func stopsOnCancellation() async throws {
        let (stream, started) = AsyncStream<Void>.makeStream()
        let server = try TestServer { _, _ in
            Answer(body: [1, 2, 3], stallAfter: 1, beforeBody: { started.yield() })
        }
        defer { server.stop() }
        let policy = try policy(server)
        let url = server.url
        let task = Task {
            await failure { () async throws(PretrainedError) in
                _ = try await RemoteImage.fetch(url, policy: policy)
            }
        }
        for await _ in stream { break }
        task.cancel()
        #expect(await task.value?.code == .cancelled)
    }

    @Test("are refused where a server is restricted to other hosts")
    func restrictsHosts() throws {
        var policy = URLPolicy()
        policy.hosts = ["photos.example.com"]
        #expect(try policy.check("https://Photos.Example.com./cat.jpg").port == 443)
        let error = #expect(throws: PretrainedError.self) {
            try policy.check("https://example.com/cat.jpg")
        }
        #expect(error?.code == .refusedURL)
        #expect(error?.message.contains("example.com is not among the allowed hosts") == true)
    }

    @Test("keep a password out of the message")
    func hidesPassword() {
        let error = #expect(throws: PretrainedError.self) {
            try URLPolicy.commandLine.check("https://user:hunter2@example.com/")
        }
        #expect(error?.message.contains("hunter2") == false)
    }

    @Test("report the status of a server that has no picture")
    func reportsStatus() async throws {
        let server = try TestServer { _, _ in Answer(status: 404) }
        defer { server.stop() }
        let error = try await error(fetching: "\(server.url)/cat.jpg", policy(server))
        #expect(error?.code == .network)
        #expect(error?.httpStatus == 404)
    }
}

@Suite("Addresses of the public internet")
struct IPAddressGlobalTests {
    @Test("are told from special ones at the edges of every range")
    func knowsRanges() throws {
        let special = [
            "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0",
            "100.127.255.255", "127.0.0.0", "127.255.255.255", "169.254.0.0", "169.254.255.255",
            "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.0", "192.0.2.255",
            "192.88.99.1", "192.168.0.0", "192.168.255.255", "198.18.0.0", "198.19.255.255",
            "198.51.100.0", "198.51.100.255", "203.0.113.0", "203.0.113.255", "224.0.0.0",
            "239.255.255.255", "240.0.0.0", "255.255.255.255",
            "::", "::1", "::7f00:1", "::ffff:8.8.8.8", "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8",
            "100::1", "2001::1", "2001:1ff:ffff::", "2001:db8::", "2001:db8:ffff::1", "2002::1",
            "3fff::1", "3fff:fff:ffff::", "4000::1", "5f00::1", "fc00::1", "fdff::1", "fe80::1",
            "febf::1", "fec0::1", "ff00::1", "ff0e::1",
        ]
        let global = [
            "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
            "126.255.255.255", "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255",
            "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.167.255.255",
            "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255", "198.51.101.0",
            "203.0.112.255", "203.0.114.0", "223.255.255.255", "8.8.8.8",
            "2000::1", "2001:200::1", "2001:4860:4860::8888", "2003::1", "2606:4700::1111",
            "3ffe:ffff::1", "3fff:1000::1", "64:ff9b::8.8.8.8",
        ]
        for text in special {
            #expect(try #require(IPAddress(text), "\(text)").isGlobal == false, "\(text)")
        }
        for text in global {
            #expect(try #require(IPAddress(text), "\(text)").isGlobal, "\(text)")
        }
    }

    @Test("are written in their usual form")
    func formats() {
        for text in [
            "1.2.3.4", "::", "::1", "2001:db8::1", "1:0:0:2::3", "fe80::1:0:0:1", "1:2:3:4:5:6:7:8",
            "1::",
        ] {
            #expect(IPAddress(text)?.description == text)
        }
        #expect(IPAddress("1:0:2:3:4:5:6:7")?.description == "1:0:2:3:4:5:6:7")
        for text in [
            "", "1.2.3", "1.2.3.4.5", "0x7f.0.0.1", "[::1]", "::1%lo", "1.2.3.4 ", "1\u{0}",
        ] {
            #expect(IPAddress(text) == nil, "\(text)")
        }
        #expect(IPAddress(networkOrder: [1, 2, 3]) == nil)
    }
}
