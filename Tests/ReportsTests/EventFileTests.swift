import Foundation
import Reports
import Testing

@Suite("Events file")
struct EventFileTests {
    /// A folder that is removed with the last reference to it.
    private final class Folder: Sendable {
        let path = NSTemporaryDirectory() + "/resnet-tests-\(UUID().uuidString)"

        init() throws {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        /// Python with TensorBoard in it, as `Scripts/setup-tensorboard` makes it.
        static let python: String? = {
            let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
            let path = root + "/.venv/tensorboard/bin/python"
            let isThere =
                FileManager.default.isExecutableFile(atPath: path)
                && FileManager.default.fileExists(atPath: root + "/.venv/tensorboard/stamp")
            return isThere ? path : nil
        }()
    }

    /// What TensorBoard 2.20's own writer gives; see Scripts/fixtures/events.py.
    private static let golden = """
        1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe90f00000000000000
        6d532b090900001040fc54d94110073a0208010f417177200000000000000029eda9500900001040fc54d94110072a13
        0a110a0a747261696e2f6c6f737315000020409b044a252600000000000000734fe3000900001040fc54d94110ac022a
        180a160a0f76616c69646174696f6e2f746f703115cdcccc3d8bc0769b
        """

    @Test("has the bytes that TensorBoard's own writer gives")
    func golden() throws {
        let folder = try Folder()
        let writer = try EventFileWriter(folder: folder.path, step: 7) { 1_700_000_000.25 }
        try writer.scalar("train/loss", 2.5, step: 7)
        try writer.scalar("validation/top1", 0.1, step: 300)
        try writer.flush()
        let bytes = try Data(contentsOf: URL(filePath: writer.path))
        let text = bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
        #expect(text == Self.golden.split(separator: "\n").joined())
        #expect(writer.path.contains("/events.out.tfevents.1700000000."))
    }

    @Test("is another one for each start, even within a second")
    func namesDiffer() throws {
        let folder = try Folder()
        let paths = try (0..<3).map { _ in
            try EventFileWriter(folder: folder.path) { 5 }.path
        }
        #expect(Set(paths).count == 3)
        #expect(paths.sorted() == paths)
    }

    @Test("holds what was flushed while the writer goes on")
    func flushes() throws {
        let folder = try Folder()
        let writer = try EventFileWriter(folder: folder.path)
        func size() throws -> Int { try Data(contentsOf: URL(filePath: writer.path)).count }
        let start = try size()
        try writer.scalar("a", 1, step: 1)
        let waiting = try size()
        #expect(waiting == start)
        try writer.flush()
        let written = try size()
        #expect(written > start)
    }

    @Test(
        "is read by TensorBoard, which drops what a run had beyond the step it goes on from",
        .enabled(
            if: Folder.python != nil,
            "TensorBoard is not there; Scripts/setup-tensorboard fetches it"))
    func readByTensorBoard() throws {
        let folder = try Folder()
        let first = try EventFileWriter(folder: folder.path) { 1000 }
        for step in 1...20 {
            try first.scalar("train/loss", 10 / Double(step), step: step * 1000)
        }
        try first.scalar("validation/töp1 \"%\"", 0.25, step: 20_000)
        try first.flush()
        let second = try EventFileWriter(folder: folder.path, step: 10_001) { 2000 }
        try second.scalar("train/loss", -1, step: 11_000)
        try second.scalar("train/loss", -2, step: 12_000)
        try second.goBack(to: 11_500)
        try second.scalar("train/loss", -3, step: 13_000)
        try second.flush()

        let program = """
            json, sys = __import__("json"), __import__("sys")
            from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
            a = EventAccumulator(sys.argv[1]).Reload()
            print(json.dumps({t: [[e.step, e.value] for e in a.Scalars(t)] for t in a.Tags()["scalars"]}))
            """
        let process = Process()
        process.executableURL = URL(filePath: Folder.python ?? "")
        process.arguments = ["-c", program, folder.path]
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let printed = output.fileHandleForReading.readDataToEndOfFile()
        let complaints = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(
            process.terminationStatus == 0, "\(String(decoding: complaints, as: UTF8.self))")
        let scalars = try JSONDecoder().decode([String: [[Double]]].self, from: printed)
        let losses =
            (1...10).map { [Double($0 * 1000), Double(10 / Float($0))] } + [
                [11_000, -1], [13_000, -3],
            ]
        let tags = scalars.keys.sorted()
        #expect(tags == ["train/loss", "validation/töp1 \"%\""])
        let found = scalars["train/loss"] ?? []
        #expect(found.map { $0[0] } == losses.map { $0[0] })
        #expect(zip(found, losses).allSatisfy { abs($0[1] - $1[1]) < 1e-6 })
    }
}
