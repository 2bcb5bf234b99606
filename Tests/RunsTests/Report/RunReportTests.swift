import Datasets
import Devices
import Images
import Native
import Reports
import Runs
import Tensors
import TestSupport
import Testing

@Suite("Run report")
struct RunReportTests {
    private static let hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> & co"

    /// The folder of a run as training leaves it, with names that try to become markup.
    private func run(
        named name: String = "a run", top1: [Double] = [0.25, 0.5, 0.4], rate: String = "0.1",
        evaluates: Bool = true
    ) throws -> (parent: TemporaryFolder, folder: RunFolder) {
        let parent = try TemporaryFolder()
        try createFolder(atPath: "\(parent.path)/\(name)")
        let folder = RunFolder("\(parent.path)/\(name)")
        func write(_ text: String, _ file: String) throws {
            try parent.write(text, to: "\(name)/\(file)")
        }
        try write(
            "# settings\ndata: \"\(Self.hostile)\"\nlr: \(rate)\nnested:\n  a: 1\n", "config.yaml")
        var lines: [String] = []
        for step in 1...30 {
            lines.append(
                """
                {"kind":"train","step":\(step),"epoch":\((step - 1) / 10),"loss":\(3 / Double(step)),\
                "top1":0.3,"top5":0.8,"learning_rate":0.1,"images_per_second":31.2,\
                "gradient_norm":null,"seconds":\(step)}
                """)
            guard step.isMultiple(of: 10) else { continue }
            lines.append(
                """
                {"kind":"validation","step":\(step),"epoch":\(step / 10),"loss":1.5,\
                "top1":\(top1[step / 10 - 1]),"top5":0.9,"macro_f1":0.4,"ece":0.05,"seconds":\(step)}
                """)
        }
        lines.append(#"{"kind":"event","step":12,"seconds":12,"text":"resumed <b>here</b>"}"#)
        lines.append(#"{"kind":"train","step":31,"ep"#)
        try write(lines.joined(separator: "\n"), "metrics.jsonl")
        try write(
            #"{"path":"bad<i>.jpg","reason":"cut short"}"# + "\n", "skipped.jsonl")
        let sheet = try NumberedPictures.picture(1, side: 40)
        try writeFile(try encodePNG(sheet), toPath: folder.augmented)
        guard evaluates else { return (parent, folder) }

        let names = [Self.hostile] + (1..<10).map { "class \($0)" }
        let plain = NumberedPictures.dataset(count: 12)
        let dataset = Dataset(
            name: Self.hostile, classNames: names,
            samples: plain.samples.map {
                Sample(name: "\(Self.hostile)\($0.place)", label: $0.label, place: $0.place)
            }, source: plain.source)
        let evaluator = try Evaluator(
            architecture: TinyNetwork.architecture, parameters: TinyNetwork.parameters,
            device: openDevice(.auto, threads: 2), precision: .float32,
            transform: EvaluationTransform(resize: 32, crop: 32), batch: 4, workers: 2)
        let result = try evaluator.evaluate(dataset)
        try write(try result.json(), "evaluation.json")
        try folder.writeWorst(try evaluator.worstPictures(of: result, in: dataset))
        return (parent, folder)
    }

    @Test("is well-formed, and lets nothing in a name become markup")
    func isWellFormed() throws {
        let (parent, folder) = try run()
        defer { withExtendedLifetime(parent) {} }
        let path = try RunReport.write(folder.path)
        #expect(path == folder.path + "/report.html")
        let page = try parent.text(of: "a run/report.html")
        let read = Markup(page)
        #expect(read.problems == [])
        #expect(read.counts["script"] == nil)
        // The worst pictures, each with its map and two names, and the sheet; the skipped picture's name.
        let count = try folderContents(atPath: folder.worst).count
        #expect(count >= 20)
        #expect(read.counts["img"] == count + 1)
        #expect(read.counts["b"] == count + 1)
        #expect(read.counts["i"] ?? 0 > 0)
        #expect(!page.contains("http:") && !page.contains("https:") && !page.contains("url("))
        #expect(!page.contains(" href="))
    }

    @Test("shows what is there: curves, mistakes, classes, pictures, events, configuration")
    func showsAll() throws {
        let (parent, folder) = try run()
        try RunReport.write(folder.path)
        let text = Markup(try parent.text(of: "a run/report.html")).text
        for part in [
            "Loss", "Top-1", "Learning rate", "Images a second", "What was taken for what",
            "How often it is right", "Confused most often", "Worst losses", "Classes",
            "What training is shown", "resumed &lt;b&gt;here", "bad&lt;i&gt;.jpg", "nested:",
            "31.2 images/s", "30 s", "broken lines of metrics 1",
        ] {
            #expect(text.contains(part), "\(part)")
        }
        // No gradient was clipped, so there is no curve of its norm.
        #expect(!text.contains("Gradient norm"))
    }

    @Test("is made of what there is while a run has not been evaluated")
    func partial() throws {
        let (parent, folder) = try run(evaluates: false)
        try RunReport.write(folder.path)
        let read = Markup(try parent.text(of: "a run/report.html"))
        #expect(read.problems == [])
        #expect(read.text.contains("best top-1 50.00 %"))
        #expect(!read.text.contains("Worst losses"))
    }

    @Test("refuses a folder without a run, and a damaged evaluation")
    func refuses() throws {
        let empty = try TemporaryFolder()
        let none = #expect(throws: RunError.self) { try RunReport.write(empty.path) }
        #expect(none?.code == .notARun)
        let (parent, folder) = try run(evaluates: false)
        try parent.write("{\"top1\": \"much\"}", to: "a run/evaluation.json")
        let damaged = #expect(throws: RunError.self) { try RunReport.write(folder.path) }
        #expect(damaged?.code == .badEvaluation)
    }

    @Test("forgets the worst pictures of an earlier evaluation")
    func replacesWorst() throws {
        let (parent, folder) = try run()
        defer { withExtendedLifetime(parent) {} }
        let before = try folderContents(atPath: folder.path + "/worst")
        #expect(before.count >= 20)
        try folder.writeWorst([])
        let after = try folderContents(atPath: folder.path + "/worst")
        #expect(after.isEmpty)
    }

    @Test("reads a run's history")
    func history() throws {
        let (parent, folder) = try run(evaluates: false)
        defer { withExtendedLifetime(parent) {} }
        let history = try RunHistory(folder)
        #expect(history.name == "a run")
        #expect(history.stepCount == 30)
        #expect(history.epochCount == 3)
        #expect(history.seconds == 30)
        #expect(history.bestValidation?.step == 20)
        #expect(history.medianRate == 31.2)
        #expect(history.brokenLineCount == 1)
        #expect(history.events == [.init(step: 12, text: "resumed <b>here</b>")])
        let keys = history.settings.map { $0.key }
        #expect(keys == ["data", "lr", "nested"])
        #expect(history.settings[2].value == " a: 1")
    }

    @Test("compares runs: what differs, and every curve")
    func compares() throws {
        let (firstParent, first) = try run(named: "one", evaluates: false)
        let (secondParent, second) = try run(
            named: "two <b>", top1: [0.5, 0.6, 0.7], rate: "0.2", evaluates: false)
        defer { withExtendedLifetime((firstParent, secondParent)) {} }
        let comparison = RunComparison([try RunHistory(first), try RunHistory(second)])
        #expect(comparison.differences.map { $0.key } == ["lr"])
        #expect(comparison.differences[0].values == ["0.1", "0.2"])
        let read = Markup(comparison.page())
        #expect(read.problems == [])
        #expect(
            read.text.contains("one, validation") && read.text.contains("two &lt;b&gt;, training"))
        #expect(read.text.contains("70.00 %"))
    }
}
