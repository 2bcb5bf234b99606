import FoundationEssentials
import Native
import Pretrained
import Synchronization
import Testing

/// A folder that is removed with the value.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = "\(FileManager.default.temporaryDirectory.path)/resnet-\(UUID().uuidString)"
        try FileSystem.makeFolder(path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func bytes(_ name: String) -> [UInt8]? {
        (try? Data(contentsOf: URL(filePath: "\(path)/\(name)"))).map(Array.init)
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(filePath: "\(path)/\(name)"))
    }

    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    }
}

/// A small file that stands for weights.
struct TestFile: Sendable {
    static let fileName = "resnet50-test.pth"

    let bytes: [UInt8]
    let tag: String

    init(seed: UInt8, byteCount: Int = 200_000, tag: String = "\"one\"") {
        bytes = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 251) ^ seed }
        self.tag = tag
    }

    func sha256() throws -> String {
        var hash = try SHA256()
        try hash.update(bytes.span)
        return try hash.finish()
    }

    func weights(
        checksum: PretrainedWeights.Checksum? = nil, knowsLength: Bool = true
    ) throws -> PretrainedWeights {
        PretrainedWeights(
            name: "resnet50.test", depth: 50, publisher: "the tests",
            url: "http://127.0.0.1:9/\(Self.fileName)", byteCount: knowsLength ? bytes.count : nil,
            approximateByteCount: bytes.count, checksum: try checksum ?? .sha256(sha256()),
            licence: nil, publishedTop1: nil, publishedTop5: nil,
            evaluation: .init(resize: 256, crop: 224))
    }

    /// The answer of a server that knows ranges.
    func answer(_ request: ReceivedRequest) -> Answer {
        let isSame = request["If-Range"] == nil || request["If-Range"] == tag
        guard let start = request.rangeStart, isSame else {
            return Answer(fields: [HTTPField("ETag", tag)], body: bytes)
        }
        guard start < bytes.count else {
            return Answer(
                status: 416, fields: [HTTPField("Content-Range", "bytes */\(bytes.count)")])
        }
        let range = HTTPField("Content-Range", "bytes \(start)-\(bytes.count - 1)/\(bytes.count)")
        return Answer(
            status: 206, fields: [HTTPField("ETag", tag), range], body: Array(bytes[start...]))
    }
}

/// A cache in a folder, with the server as mirror and the file as only weights.
func cache(
    _ folder: TemporaryFolder, _ server: TestServer?, _ weights: PretrainedWeights,
    isOffline: Bool = false, resumptionCount: Int = 0
) throws -> WeightCache {
    var cache = try WeightCache(
        folder: folder.path, mirror: server?.url, isOffline: isOffline, environment: [:])
    cache.catalogue = [weights]
    cache.resumptionCount = resumptionCount
    return cache
}

/// Keeps what a callback is given.
final class Record<Element: Sendable>: Sendable {
    private let storage = Mutex<[Element]>([])

    func append(_ element: Element) { storage.withLock { $0.append(element) } }

    var all: [Element] { storage.withLock { $0 } }
}

/// Runs what is expected to fail, and gives its error.
func failure(
    of body: () async throws(PretrainedError) -> Void
) async -> PretrainedError? {
    do throws(PretrainedError) {
        try await body()
        return nil
    } catch {
        return error
    }
}
