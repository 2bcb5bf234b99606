import Glibc
import Native
import Pretrained
import Testing

@Suite("Downloading weights", .timeLimit(.minutes(1)))
struct WeightCacheTests {
    private let folder: TemporaryFolder
    private let file = TestFile(seed: 1)
    private let name = "resnet50.test"

    init() throws { folder = try TemporaryFolder() }

    private func stored() -> [UInt8]? { folder.bytes(TestFile.fileName) }

    @Test("gets the whole file, verifies it and leaves nothing else behind")
    func downloads() async throws {
        let file = file
        let server = try TestServer { request, _ in file.answer(request) }
        defer { server.stop() }
        let reports = Record<DownloadProgress>()
        let cache = try cache(folder, server, file.weights())
        let path = try await cache.download(name) { reports.append($0) }
        #expect(path == "\(folder.path)/\(TestFile.fileName)")
        #expect(stored() == file.bytes)
        #expect(folder.names == [TestFile.fileName, "\(TestFile.fileName).lock"])
        #expect(server.requests.map(\.target) == ["/\(TestFile.fileName)"])
        #expect(server.requests.first?["Range"] == nil)
        #expect(reports.all.last?.phase == .done)
        #expect(reports.all.last?.fraction == 1)
        #expect(reports.all.contains { $0.phase == .verifying })
        #expect(
            reports.all.filter { $0.phase == .transferring }.last?.byteCount == file.bytes.count)
    }

    @Test("asks no server for a file that is there")
    func findsFile() async throws {
        let server = try TestServer { _, _ in Answer(status: 500) }
        defer { server.stop() }
        try folder.write(file.bytes, to: TestFile.fileName)
        let cache = try cache(folder, server, file.weights())
        try await cache.download(name)
        #expect(try cache.path(of: name) == "\(folder.path)/\(TestFile.fileName)")
        #expect(server.connectionCount == 0)
    }

    @Test("replaces a damaged file that is there")
    func replacesDamagedFile() async throws {
        let file = file
        let server = try TestServer { request, _ in file.answer(request) }
        defer { server.stop() }
        try folder.write(TestFile(seed: 9).bytes, to: TestFile.fileName)
        try await cache(folder, server, file.weights()).download(name)
        #expect(stored() == file.bytes)
    }

    @Test("goes on where an interrupted download stopped, and fetches the rest only")
    func resumes() async throws {
        let file = file
        let cut = file.bytes.count * 2 / 5
        let server = try TestServer { request, number in
            var answer = file.answer(request)
            if number == 0 { answer.cutAfter = cut }
            return answer
        }
        defer { server.stop() }
        let cache = try cache(folder, server, file.weights())
        let error = await failure { () async throws(PretrainedError) in
            try await cache.download(name)
        }
        #expect(error?.code == .network)
        #expect(error?.message.contains("\(cut) bytes are kept") == true)
        #expect(cache.list().first?.state == .partial(byteCount: cut))
        let reports = Record<DownloadProgress>()
        try await cache.download(name) { reports.append($0) }
        #expect(stored() == file.bytes)
        #expect(server.requests.last?["Range"] == "bytes=\(cut)-")
        #expect(server.requests.last?["If-Range"] == file.tag)
        #expect(server.sentBodyByteCounts == [cut, file.bytes.count - cut])
        #expect(reports.all.filter { $0.phase == .transferring }.last?.resumedByteCount == cut)
    }

    @Test("takes a transfer up again by itself as long as bytes come in")
    func resumesByItself() async throws {
        let file = file
        let server = try TestServer { request, _ in
            var answer = file.answer(request)
            answer.cutAfter = min(answer.body.count, 60_000)
            return answer
        }
        defer { server.stop() }
        try await cache(folder, server, file.weights(), resumptionCount: 4).download(name)
        #expect(stored() == file.bytes)
        #expect(server.requests.map(\.rangeStart) == [nil, 60_000, 120_000, 180_000])
    }

    @Test("starts again where the server knows no ranges")
    func restartsWithoutRanges() async throws {
        let file = file
        let server = try TestServer { _, number in
            Answer(body: file.bytes, cutAfter: number == 0 ? 50_000 : nil)
        }
        defer { server.stop() }
        let cache = try cache(folder, server, file.weights())
        _ = await failure { () async throws(PretrainedError) in try await cache.download(name) }
        try await cache.download(name)
        #expect(stored() == file.bytes)
        #expect(server.requests.map(\.rangeStart) == [nil, 50_000])
        #expect(server.sentBodyByteCounts == [50_000, file.bytes.count])
    }

    @Test("starts again where the server's file has changed meanwhile")
    func restartsAfterChange() async throws {
        let old = TestFile(seed: 7, tag: "\"old\"")
        let file = file
        let server = try TestServer { request, number in
            var answer = number == 0 ? old.answer(request) : file.answer(request)
            if number == 0 { answer.cutAfter = 50_000 }
            return answer
        }
        defer { server.stop() }
        let cache = try cache(folder, server, file.weights())
        _ = await failure { () async throws(PretrainedError) in try await cache.download(name) }
        try await cache.download(name)
        #expect(stored() == file.bytes)
        #expect(server.requests.last?["If-Range"] == "\"old\"")
        #expect(server.sentBodyByteCounts == [50_000, file.bytes.count])
    }

    @Test("starts again where the joined parts are not the published file")
    func restartsAfterMixture() async throws {
        let old = TestFile(seed: 7)
        let file = file
        let server = try TestServer { request, number in
            var answer = number == 0 ? old.answer(request) : file.answer(request)
            if number == 0 { answer.cutAfter = 50_000 }
            return answer
        }
        defer { server.stop() }
        let cache = try cache(folder, server, file.weights())
        _ = await failure { () async throws(PretrainedError) in try await cache.download(name) }
        try await cache.download(name)
        #expect(stored() == file.bytes)
        #expect(server.requests.map(\.rangeStart) == [nil, 50_000, nil])
    }

    @Test("starts again where the server refuses the range")
    func restartsAfterRefusedRange() async throws {
        let file = file
        let server = try TestServer { request, _ in file.answer(request) }
        defer { server.stop() }
        let partial = [UInt8](repeating: 0, count: file.bytes.count + 5)
        try folder.write(partial, to: "\(TestFile.fileName).partial")
        // Without a known length, only the server can tell that this is too much.
        let weights = try file.weights(knowsLength: false)
        try await cache(folder, server, weights).download(name)
        #expect(stored() == file.bytes)
        #expect(server.requests.map(\.rangeStart) == [file.bytes.count + 5, nil])
    }

    @Test("does not trust a server that sends another part than asked for")
    func refusesOtherRange() async throws {
        let file = file
        let server = try TestServer { _, _ in
            let range = HTTPField("Content-Range", "bytes 10-199999/200000")
            return Answer(status: 206, fields: [range], body: Array(file.bytes[10...]))
        }
        defer { server.stop() }
        try folder.write(Array(file.bytes[..<100]), to: "\(TestFile.fileName).partial")
        let cache = try cache(folder, server, file.weights())
        let error = await failure { () async throws(PretrainedError) in
            try await cache.download(name)
        }
        #expect(error?.code == .network)
        #expect(error?.message.contains("another part") == true)
        #expect(stored() == nil)
    }

    @Test("verifies a complete partial file without the network")
    func finishesPartialFile() async throws {
        let server = try TestServer { _, _ in Answer(status: 500) }
        defer { server.stop() }
        try folder.write(file.bytes, to: "\(TestFile.fileName).partial")
        try await cache(folder, server, file.weights()).download(name)
        #expect(stored() == file.bytes)
        #expect(server.connectionCount == 0)
    }

    @Test("deletes a file with the wrong hash and says so", arguments: [false, true])
    func refusesWrongHash(onlyPrefix: Bool) async throws {
        let wrong = TestFile(seed: 2)
        let right = try file.sha256()
        let server = try TestServer { request, _ in wrong.answer(request) }
        defer { server.stop() }
        let checksum: PretrainedWeights.Checksum =
            onlyPrefix ? .sha256Prefix(String(right.prefix(8))) : .sha256(right)
        let cache = try cache(folder, server, file.weights(checksum: checksum))
        let error = await failure { () async throws(PretrainedError) in
            try await cache.download(name)
        }
        #expect(error?.code == .verification)
        #expect(error?.message.contains(try wrong.sha256()) == true)
        #expect(error?.message.contains("deleted") == true)
        #expect(folder.names == ["\(TestFile.fileName).lock"])
    }

    @Test("stops at once where the server offers a file of another length")
    func refusesWrongLength() async throws {
        let server = try TestServer { request, _ in
            TestFile(seed: 1, byteCount: 1000).answer(request)
        }
        defer { server.stop() }
        let cache = try cache(folder, server, file.weights())
        let error = await failure { () async throws(PretrainedError) in
            try await cache.download(name)
        }
        #expect(error?.code == .verification)
        #expect(error?.message.contains("expected 200000 bytes, the server offers 1000") == true)
    }

    @Test("names the status of a server that refuses", arguments: [403, 404, 429, 500, 503])
    func reportsStatus(status: Int) async throws {
        let server = try TestServer { _, _ in Answer(status: status, body: Array("no".utf8)) }
        defer { server.stop() }
        let cache = try cache(folder, server, file.weights(), resumptionCount: 4)
        let error = await failure { () async throws(PretrainedError) in
            try await cache.download(name)
        }
        #expect(error?.code == .network)
        #expect(error?.httpStatus == status)
        #expect(error?.message.contains("answers \(status)") == true)
        #expect(server.requests.count == 1)
        #expect(cache.list().first?.state == .absent)
    }

    @Test("keeps what came before a body broke off without an announced end")
    func keepsTruncatedBody() async throws {
        let file = file
        let server = try TestServer { _, _ in
            Answer(body: file.bytes, announcesLength: false, cutAfter: 1234)
        }
        defer { server.stop() }
        let cache = try cache(folder, server, file.weights())
        let error = await failure { () async throws(PretrainedError) in
            try await cache.download(name)
        }
        // Nothing tells such an end from a complete body, but the hash does.
        #expect(error?.code == .verification)
        #expect(stored() == nil)
    }

    @Test("takes no more bytes than the file is long")
    func limitsLength() async throws {
        let server = try TestServer { _, _ in
            Answer(body: [UInt8](repeating: 5, count: 900_000), announcesLength: false)
        }
        defer { server.stop() }
        let cache = try cache(folder, server, file.weights())
        let error = await failure { () async throws(PretrainedError) in
            try await cache.download(name)
        }
        #expect(error?.code == .tooLarge)
        #expect(folder.bytes("\(TestFile.fileName).partial").map { $0.count <= 200_000 } == true)
    }

    @Test("stops soon after its task was cancelled, while a server says nothing")
    func stopsOnCancellation() async throws {
        let file = file
        let server = try TestServer { request, _ in
            var answer = file.answer(request)
            answer.stallAfter = 10_000
            return answer
        }
        defer { server.stop() }
        let cache = try cache(folder, server, file.weights())
        let (stream, started) = AsyncStream<Void>.makeStream()
        let task = Task {
            await failure { () async throws(PretrainedError) in
                try await cache.download("resnet50.test") { report in
                    if report.phase == .transferring { started.yield() }
                }
            }
        }
        for await _ in stream { break }
        let clock = ContinuousClock()
        let start = clock.now
        task.cancel()
        #expect(await task.value?.code == .cancelled)
        // The transfer itself would give up after 30 seconds of silence.
        #expect(clock.now - start < .seconds(20))
    }

    @Test("follows redirects, but not for ever")
    func limitsRedirects() async throws {
        let file = file
        let server = try TestServer { request, _ in
            switch request.target {
            case "/\(TestFile.fileName)":
                Answer(status: 302, fields: [HTTPField("Location", "/one")])
            case "/one": Answer(status: 307, fields: [HTTPField("Location", "two?key=1")])
            case "/two?key=1": file.answer(request)
            default: Answer(status: 301, fields: [HTTPField("Location", request.target)])
            }
        }
        defer { server.stop() }
        try await cache(folder, server, file.weights()).download(name)
        #expect(stored() == file.bytes)
        var loop = try WeightCache(
            folder: folder.path, mirror: "\(server.url)/loop", environment: [:])
        loop.catalogue = [try TestFile(seed: 3).weights()]
        let looping = loop
        let error = await failure { () async throws(PretrainedError) in
            try await looping.download(name)
        }
        #expect(error?.code == .network)
        #expect(error?.message.contains("more than 3 redirects") == true)
        #expect(server.requests.count == 3 + 4)
    }

    @Test("needs no network for what is there, and names path and URL of what is not")
    func worksOffline() async throws {
        let weights = try file.weights()
        let cache = try cache(folder, nil, weights, isOffline: true)
        let error = await failure { () async throws(PretrainedError) in
            try await cache.download(name)
        }
        #expect(error?.code == .offline)
        #expect(error?.message.contains("\(folder.path)/\(TestFile.fileName)") == true)
        #expect(error?.message.contains(weights.url) == true)
        try folder.write(file.bytes, to: TestFile.fileName)
        let path = try await cache.download(name)
        #expect(try cache.path(of: name) == path)
    }

    @Test("verifies a file that somebody put there by hand")
    func verifiesForeignFile() async throws {
        try folder.write(TestFile(seed: 4).bytes, to: TestFile.fileName)
        let cache = try cache(folder, nil, file.weights(), isOffline: true)
        let error = await failure { () async throws(PretrainedError) in
            try await cache.verify(name)
        }
        #expect(error?.code == .verification)
        try folder.write([1, 2, 3], to: TestFile.fileName)
        #expect(cache.list().first?.state == .wrongLength(byteCount: 3))
        let other = #expect(throws: PretrainedError.self) { try cache.path(of: name) }
        #expect(other?.code == .verification)
        #expect(other?.message.contains("expected 200000 bytes, found 3") == true)
    }

    @Test("downloads once where two ask at the same time")
    func sharesDownload() async throws {
        let file = file
        let (gate, opened) = AsyncStream<Void>.makeStream()
        let cancellation = Cancellation()
        let server = try TestServer { request, _ in
            var answer = file.answer(request)
            answer.beforeBody = {
                // Until the second has begun to wait for the first.
                while !cancellation.isCancelled { sched_yield() }
            }
            return answer
        }
        defer { server.stop() }
        let cache = try cache(folder, server, file.weights())
        let phases = Record<DownloadProgress.Phase>()
        async let first = cache.download(name) { report in
            if report.phase == .transferring { opened.yield() }
        }
        for await _ in gate { break }
        async let second = cache.download(name) { report in
            phases.append(report.phase)
            if report.phase == .waiting { cancellation.cancel() }
        }
        let paths = try await [first, second]
        #expect(paths[0] == paths[1])
        #expect(stored() == file.bytes)
        #expect(server.requests.count == 1)
        #expect(phases.all.first == .waiting)
        #expect(phases.all.last == .done)
    }

    @Test("uses the proxy of the environment, and gets the file through it")
    func usesProxy() async throws {
        let proxy = try #require(TestEnvironment.proxy)
        let file = TestFile(seed: 0)
        let body = Array("from the proxy".utf8)
        var hash = try SHA256()
        try hash.update(body.span)
        let weights = try file.weights(checksum: .sha256(hash.finish()), knowsLength: false)
        var cache = try WeightCache(
            folder: folder.path, mirror: "http://mirror.example", environment: [:])
        cache.catalogue = [weights]
        try await cache.download(name)
        #expect(stored() == body)
        #expect(
            proxy.requests.contains { $0.target == "http://mirror.example/\(TestFile.fileName)" })
    }

    @Test("says which server cannot be reached")
    func reportsUnreachableServer() async throws {
        let server = try TestServer { _, _ in Answer() }
        server.stop()
        let cache = try cache(folder, server, file.weights())
        let error = await failure { () async throws(PretrainedError) in
            try await cache.download(name)
        }
        #expect(error?.code == .network)
        #expect(error?.underlying?.code == .networkFailure)
        #expect(error?.message.contains("\(server.port)") == true)
        let path = "\(folder.path)/\(TestFile.fileName)"
        #expect(error?.message.contains("put the file at \(path) by hand") == true)
    }

    @Test("says which folder cannot be used")
    func reportsUnusableFolder() async throws {
        try folder.write([0], to: "file")
        var cache = try WeightCache(folder: "\(folder.path)/file/cache", environment: [:])
        cache.catalogue = [try file.weights()]
        let unusable = cache
        let error = await failure { () async throws(PretrainedError) in
            try await unusable.download(name)
        }
        #expect(error?.code == .inputOutput)
        #expect(error?.message.contains("\(folder.path)/file") == true)
    }

    @Test("finds its folder and its mirror in the environment")
    func readsEnvironment() throws {
        func folder(_ environment: [String: String]) throws -> String {
            try WeightCache(environment: environment).folder
        }
        #expect(try folder(["HOME": "/home/a"]) == "/home/a/.cache/swift-resnet")
        #expect(
            try folder(["HOME": "/home/a", "XDG_CACHE_HOME": "/var/c"]) == "/var/c/swift-resnet")
        #expect(
            try folder(["HOME": "/home/a", "XDG_CACHE_HOME": "c"]) == "/home/a/.cache/swift-resnet")
        #expect(
            try folder(["HOME": "/home/a", "XDG_CACHE_HOME": "/c", "RESNET_CACHE": "w"]) == "w")
        let error = #expect(throws: PretrainedError.self) { try folder([:]) }
        #expect(error?.code == .inputOutput)
        let mirror = ["HOME": "/a", "RESNET_WEIGHTS_MIRROR": "https://mirror.example/w/"]
        #expect(try WeightCache(environment: mirror).mirror?.text == "https://mirror.example/w/")
        let bad = #expect(throws: PretrainedError.self) {
            try WeightCache(folder: "w", mirror: "ftp://mirror.example", environment: [:])
        }
        #expect(bad?.code == .refusedURL)
    }
}
