import CommandLineTool
import FoundationEssentials
import Images
import ModelFormats
import Native
import Testing

@Suite("Eval command")
struct EvalCommandTests {
    /// A folder of classes with pictures of noise, and one file that is none.
    ///
    /// The network of `TinyModelFile` takes everything for its first class, `dog, "the" <dog>`.
    private func photos(_ classes: [String] = ["dog", "class 1", "class 2"]) throws
        -> TemporaryFolder
    {
        let folder = try TemporaryFolder()
        for (index, name) in classes.enumerated() {
            for picture in 0..<4 {
                let png = try TinyModelFile.png(UInt64(index * 10 + picture))
                try folder.write(png, to: "\(name)/\(picture).png")
            }
        }
        try folder.write("no picture", to: "\(classes[0])/broken.png")
        return folder
    }

    private func decoded(_ text: String) throws -> Report {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Report.self, from: Data(text.utf8))
    }

    private struct Report: Decodable {
        struct Metrics: Decodable {
            var name: String
            var count: Int
            var recall: Double?
        }
        struct Skipped: Decodable { var name: String }
        struct Calibration: Decodable { var temperature: Double }
        var sampleCount: Int
        var top1: Double
        var top1Count: Int
        var ece: Double
        var temperature: Double
        var tta: String
        var matched: String
        var crop: Int
        var classes: [Metrics]
        var skipped: [Skipped]
        var calibration: Calibration?
        var storedIn: String?
    }

    @Test(
        "counts every picture that can be read once, whatever the batch",
        arguments: ["1", "5", "64"])
    func json(batch: String) async throws {
        let (folder, model) = (try photos(), try TinyModelFile.shared.get())
        let console = TestConsole()
        let status = await console.run(
            "eval", model.path, folder.path, "--format", "json", "--crop", "32", "--resize", "32",
            "--batch", batch, "--precision", "fp32")
        expect(status, .success)
        let report = try decoded(console.output)
        #expect(report.sampleCount == 12)
        #expect(report.top1Count == 4)
        #expect(report.crop == 32)
        #expect(report.temperature == 1)
        #expect(report.tta == "none")
        #expect(report.skipped.map { $0.name } == ["dog/broken.png"])
        #expect(report.matched.contains("3 of 10 classes"))
        #expect(report.classes[0].recall == 1)
        #expect(report.classes[1].recall == 0)
    }

    @Test("prints a table, every class, and writes the matrix and the page")
    func text() async throws {
        let (folder, model) = (try photos(), try TinyModelFile.shared.get())
        let output = try TemporaryFolder()
        let console = TestConsole()
        let status = await console.run(
            "eval", "-w", model.path, folder.path, "--per-class", "--tta", "--crop", "32",
            "--resize", "32", "--confusion", output.path + "/matrix.csv", "--report",
            output.path + "/page.html")
        expect(status, .success)
        #expect(console.output.contains("4 of 12"))
        #expect(console.output.contains("mirror images averaged"))
        #expect(console.output.contains("1 could not be read"))
        #expect(console.output.contains("class 2"))
        let matrix = try output.text(of: "matrix.csv").split(separator: "\n")
        #expect(matrix.count == 4)
        #expect(matrix[0].hasPrefix("class,\"dog, \"\"the\"\" <dog>\",class 1"))
        #expect(matrix[2] == "class 1,4,0,0")
        let page = try output.text(of: "page.html")
        #expect(page.contains("What was taken for what"))
        #expect(page.contains("data:image/jpeg;base64,"))
        #expect(!page.contains("<dog>"))
    }

    @Test("puts a temperature into the file, which classify and eval then take")
    func calibrates() async throws {
        let (folder, shared) = (try photos(), try TinyModelFile.shared.get())
        let work = try TemporaryFolder()
        let path = work.path + "/w.safetensors"
        try writeFile(try Memory(mapping: shared.path), toPath: path)
        let size = ["--crop", "32", "--resize", "32"]
        let console = TestConsole()
        let status = await console.run(
            arguments: ["eval", path, folder.path, "--calibrate", "--format", "json"] + size)
        expect(status, .success)
        let report = try decoded(console.output)
        let fitted = try #require(report.calibration?.temperature)
        // A third of the pictures are what the network is wholly sure of.
        #expect(fitted > 1)
        #expect(report.temperature == fitted)
        #expect(report.storedIn == path)
        let before = try WeightFile(contentsOf: shared.path)
        let after = try WeightFile(contentsOf: path)
        #expect(after.metadata["temperature"] == "\(fitted)")
        #expect(after.metadata["class_names"] == before.metadata["class_names"])
        #expect(after.tensors.map { $0.name } == before.tensors.map { $0.name })

        let again = TestConsole()
        expect(
            await again.run(
                arguments: ["eval", path, folder.path, "--format", "json"] + size), .success)
        let second = try decoded(again.output)
        #expect(second.temperature == fitted)
        #expect(abs(second.ece - report.ece) < 1e-6)
        let classified = TestConsole()
        expect(
            await classified.run(
                arguments: ["classify", "-w", path, folder.path + "/dog/0.png"] + size), .success)
        #expect(classified.error.contains("calibrated"))

        let copy = work.path + "/copy.safetensors"
        let other = TestConsole()
        expect(
            await other.run(
                arguments: ["eval", shared.path, folder.path, "--calibrate", "-o", copy] + size),
            .success)
        #expect(other.output.contains("It is in \(copy) now"))
        let written = try WeightFile(contentsOf: copy)
        #expect(written.metadata["temperature"] == "\(fitted)")
        let untouched = try WeightFile(contentsOf: shared.path)
        #expect(untouched.metadata["temperature"] == nil)
    }

    @Test("takes pictures at even distances where it is to look at fewer")
    func limits() async throws {
        let (folder, model) = (try photos(), try TinyModelFile.shared.get())
        let console = TestConsole()
        let status = await console.run(
            "eval", model.path, folder.path, "--limit", "3", "--format", "json", "--crop", "32",
            "--resize", "32")
        expect(status, .success)
        let report = try decoded(console.output)
        let counts = report.classes.filter { $0.count > 0 }.map { $0.name }
        #expect(counts.count == 3)
    }

    @Test(
        "refuses what makes no sense",
        arguments: [
            ["eval", "only-one"], ["eval", "a", "b", "c"], ["eval", "-w", "a", "b", "c"],
            ["eval", "a", "b", "--tta", "--calibrate"], ["eval", "a", "b", "-o", "c"],
            ["eval", "a", "b", "--format", "csv"], ["eval", "a", "b", "--batch", "0"],
        ])
    func usage(arguments: [String]) async {
        let status = await TestConsole().run(arguments: arguments)
        expect(status, .usage)
    }

    @Test("says what is missing, and which classes have no counterpart")
    func errors() async throws {
        let model = try TinyModelFile.shared.get()
        let missing = TestConsole()
        expect(await missing.run("eval", model.path, "/nowhere/at-all"), .inputMissing)
        #expect(missing.error.contains("/nowhere/at-all"))
        let folder = try photos(["dog", "zebra"])
        let other = TestConsole()
        expect(await other.run("eval", model.path, folder.path), .badData)
        #expect(other.error.contains("\"zebra\""))
    }
}
