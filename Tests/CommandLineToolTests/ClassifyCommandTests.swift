import CommandLineTool
import FoundationEssentials
import ModelFormats
import Native
import Tensors
import Testing

@Suite("resnet classify")
struct ClassifyCommandTests {
    /// What `--format json` gives for one input.
    private struct Entry: Decodable, Equatable {
        struct Class: Decodable, Equatable {
            var index: Int
            var label: String
            var probability: Double
        }

        var path: String
        var width: Int?
        var height: Int?
        var top: [Class]?
        var milliseconds: Double?
        var error: String?
    }

    private let model: String
    private let folder: TemporaryFolder

    init() throws {
        model = try TinyModelFile.shared.get().path
        folder = try TemporaryFolder()
        try folder.write(try TinyModelFile.png(1), to: "a.png")
        try folder.write("no picture", to: "b.jpg")
        try folder.write(try TinyModelFile.png(2, width: 31, height: 64), to: "c.png")
    }

    private func run(_ console: TestConsole, _ arguments: String...) async -> ExitStatus {
        let fixed = ["classify", "-w", model, "--crop", "32", "--resize", "32", "--threads", "1"]
        return await Console.$current.withValue(console.console) {
            await runCommand(arguments: fixed + arguments)
        }
    }

    private func entries(_ text: String) throws -> [Entry] {
        try JSONDecoder().decode([Entry].self, from: Data(text.utf8))
    }

    @Test("prints a JSON array in the order of the inputs, and names what it could not read")
    func printsJSON() async throws {
        let console = TestConsole()
        let status = await run(console, "--format", "json", "--top", "2", folder.path)
        #expect(status == .badData)
        let found = try entries(console.output)
        #expect(found.map(\.path) == ["a.png", "b.jpg", "c.png"].map { "\(folder.path)/\($0)" })
        #expect(found[0].width == 40 && found[0].height == 30)
        #expect(found[2].width == 31 && found[2].height == 64)
        let first = try #require(found[0].top?.first)
        #expect(first.index == 0 && first.label == "dog, \"the\" <dog>")
        #expect(first.probability > 0.99 && first.probability <= 1)
        #expect(found[0].top?.count == 2 && found[0].error == nil)
        #expect((found[0].milliseconds ?? 0) > 0)
        #expect(found[1].error?.contains("b.jpg") == true && found[1].top == nil)
        #expect(console.error.contains("resnet: \(folder.path)/b.jpg: "))
        #expect(console.error.hasSuffix("resnet: 1 of 3 inputs were not classified\n"))
    }

    @Test("prints JSON lines that hold the same objects")
    func printsLines() async throws {
        let console = TestConsole()
        let status = await run(console, "--format", "jsonl", folder.path + "/*.png", "-q")
        #expect(status == .success)
        let lines = console.output.split(separator: "\n")
        #expect(lines.count == 2)
        let found = try entries("[" + lines.joined(separator: ",") + "]")
        #expect(found.map(\.path) == ["\(folder.path)/a.png", "\(folder.path)/c.png"])
        #expect(console.error == "")
    }

    @Test("prints CSV with a header and a row an input")
    func printsCSV() async throws {
        let console = TestConsole()
        _ = await run(console, "--format", "csv", "--top", "1", folder.path)
        let lines = console.output.split(separator: "\n")
        #expect(
            lines[0] == "path,width,height,milliseconds,error,index_1,label_1,probability_1")
        #expect(lines[1].hasPrefix("\(folder.path)/a.png,40,30,"))
        #expect(lines[1].contains(",,0,\"dog, \"\"the\"\" <dog>\",1.000000"))
        #expect(lines[2].hasPrefix("\(folder.path)/b.jpg,,,,") && lines[2].hasSuffix(",,,"))
        #expect(lines.count == 4)
    }

    @Test("prints names and shares for people")
    func printsText() async throws {
        let console = TestConsole()
        let status = await run(console, "--top", "1", folder.path + "/a.png")
        #expect(status == .success)
        #expect(console.output.hasPrefix("\(folder.path)/a.png  (40 x 30, "))
        #expect(console.output.hasSuffix("100.0 %  dog, \"the\" <dog>\n"))
    }

    @Test("shows the picture in a terminal that can")
    func showsPicture() async throws {
        let variables = ["TERM": "xterm", "COLORTERM": "truecolor"]
        let console = TestConsole(isTerminal: true, variables: variables)
        _ = await run(console, folder.path + "/a.png")
        #expect(console.output.contains("▀") && console.output.contains("100.0 %"))
        let plain = TestConsole(isTerminal: true, variables: variables)
        _ = await run(plain, "--no-picture", folder.path + "/a.png")
        #expect(!plain.output.contains("\u{1B}"))
    }

    @Test("reads a picture from the standard input")
    func readsStandardInput() async throws {
        let bytes = try TinyModelFile.png(4).bytes
        let console = TestConsole(input: bytes.indices.map { bytes[$0] })
        #expect(await run(console, "--format", "json", "-") == .success)
        let found = try entries(console.output)
        #expect(found.map(\.path) == ["-"] && found[0].width == 40)
    }

    @Test("ends with 66 where all that failed does not exist, and with 65 otherwise")
    func tellsMissing() async throws {
        let console = TestConsole()
        #expect(await run(console, "--format", "json", "/nowhere.jpg") == .inputMissing)
        #expect(try entries(console.output)[0].error == "/nowhere.jpg: no such file or folder")
        #expect(console.error == "resnet: /nowhere.jpg: no such file or folder\n")
        #expect(await run(TestConsole(), "/nowhere.jpg", folder.path + "/a.png") == .inputMissing)
        #expect(await run(TestConsole(), "/nowhere.jpg", folder.path + "/b.jpg") == .badData)
    }

    @Test("refuses an address of this machine without asking it")
    func refusesLocalAddress() async throws {
        let console = TestConsole()
        #expect(await run(console, "http://127.0.0.1/a.jpg", "--format", "json") == .badData)
        let error = try entries(console.output)[0].error
        #expect(error?.contains("127.0.0.1") == true)
    }

    @Test("writes logits in the order of the inputs, not-a-number for those that failed")
    func writesLogits() async throws {
        let path = folder.path + "/logits.npy"
        #expect(await run(TestConsole(), "--logits", path, folder.path) == .badData)
        let tensor = try NumPyFile.read(contentsOf: path)
        #expect(tensor.shape == [3, 10])
        let values = tensor.floats()
        #expect(values[10..<20].allSatisfy(\.isNaN))
        #expect(values[0] > 90 && values[20] > 90)
        #expect(values[1..<10].allSatisfy { abs($0) < 50 })
    }

    @Test("writes a map for each picture under its own name")
    func writesMaps() async throws {
        let maps = folder.path + "/maps/deep"
        _ = await run(TestConsole(), "--cam", maps, folder.path + "/a.png", folder.path + "/a.png")
        let written = try folderContents(atPath: maps).map(\.name)
        #expect(written == ["a-2.png", "a.png"])
    }

    @Test("writes a report in which labels are escaped")
    func writesReport() async throws {
        let path = folder.path + "/report.html"
        #expect(await run(TestConsole(), "--report", path, folder.path) == .badData)
        let page = try folder.text(of: "report.html")
        #expect(page.contains("dog, &quot;the&quot; &lt;dog&gt;"))
        #expect(!page.contains("<dog>"))
        #expect(page.contains("Not classified: 1"))
        #expect(page.split(separator: "<article>").count == 3)
    }

    @Test("says before the work that a result cannot be created")
    func checksDestinations() async throws {
        let picture = folder.path + "/a.png"
        for option in ["--report", "--logits"] {
            let console = TestConsole()
            let status = await run(console, option, "/nowhere/x", picture)
            #expect(status == .cannotCreate)
            #expect(console.output == "" && console.error.contains("/nowhere/x"))
        }
        #expect(await run(TestConsole(), "--cam", "/proc/nowhere", picture) == .cannotCreate)
    }

    @Test("takes the names of classes from a file")
    func takesLabels() async throws {
        try folder.write((0..<10).map { "name \($0)\n" }.joined(), to: "names.txt")
        let console = TestConsole()
        let names = folder.path + "/names.txt"
        #expect(
            await run(console, "--labels", names, "--format", "json", folder.path + "/a.png")
                == .success)
        let first = try entries(console.output)[0].top?.first
        #expect(first?.label == "name 0")
        try folder.write("one\n", to: "names.txt")
        #expect(await run(TestConsole(), "--labels", names, folder.path + "/a.png") == .badData)
        #expect(
            await run(TestConsole(), "--labels", "/nowhere.txt", folder.path + "/a.png")
                == .inputMissing)
    }
}
