import CommandLineTool
import Foundation
import ModelFormats
import Native
import Runs
import Tensors
import Testing

@Suite(
    "Training by command", .serialized, .timeLimit(.minutes(10)),
    .enabled(if: Binary.path != nil, "the program is not beside the tests"))
struct TrainCommandTests {
    /// A folder in memory, where there is some.
    private final class RunPlace {
        let path: String

        init() {
            let base =
                FileManager.default.isWritableFile(atPath: "/dev/shm")
                ? "/dev/shm" : FileManager.default.temporaryDirectory.path
            path = "\(base)/resnet-train-\(UUID().uuidString)"
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        var folder: RunFolder { RunFolder(path) }
    }

    private func arguments(_ place: RunPlace, _ more: String...) -> [String] {
        [
            "train", "shapes:train=64,val=20,size=32", "--recipe", "smoke", "--img-size", "32",
            "-b", "8", "--precision", "fp32", "--threads", "1", "--workers", "1", "-o", place.path,
        ] + more
    }

    @Test("survives being killed at any point, fifty times, to the bytes of a run that was not")
    func surviveKills() throws {
        let chain = RunPlace()
        let endless = arguments(chain, "--epochs", "1000", "--checkpoint-steps", "1")
        // How long two steps take from the start, so that kills meet steps on slow machines, too.
        let warm = RunPlace()
        let clock = ContinuousClock()
        let began = clock.now
        let short = try BinaryProcess(
            arguments(warm, "--epochs", "1000", "--checkpoint-steps", "1", "--max-steps", "2"))
        #expect(short.end() == 0, "\(short.error)")
        var longest = max(0.5, (clock.now - began) / .seconds(1) * 1.5)
        var random = SystemRandomNumberGenerator()
        var lastStep = 0
        var advanceCount = 0
        for round in 0..<50 {
            // From before the first file is written to well into the steps.
            let seconds = Double.random(in: 0.02...longest, using: &random)
            let process = try BinaryProcess(
                endless, under: ["timeout", "--signal=KILL", "\(seconds)"])
            let status = process.end()
            #expect(status == 137, "round \(round): \(process.error)")
            #expect(!process.error.contains("digest"), "round \(round): \(process.error)")
            // Other tests come and go beside this one: kept so that about a fifth of the kills come after a step.
            longest *= 1.05
            guard FileManager.default.fileExists(atPath: chain.folder.config),
                FileManager.default.fileExists(atPath: chain.folder.last)
                    || FileManager.default.fileExists(atPath: chain.folder.previous)
            else { continue }
            let path = [chain.folder.last, chain.folder.previous].first {
                (try? Checkpoint(contentsOf: $0)) != nil
            }
            let checkpoint = try Checkpoint(contentsOf: try #require(path, "round \(round)"))
            #expect(checkpoint.progress.step >= lastStep, "round \(round)")
            if checkpoint.progress.step > lastStep {
                advanceCount += 1
                longest = max(0.5, longest * 0.8)
            }
            lastStep = checkpoint.progress.step
        }
        // That none met a state would prove nothing.
        #expect(advanceCount >= 3 && lastStep > 0)
        let end = ["--max-steps", "\(lastStep + 3)"]
        let last = try BinaryProcess(endless + end)
        #expect(last.end() == 0, "\(last.error)")
        #expect(last.error.contains("resumed from"))
        let straight = RunPlace()
        let left = try BinaryProcess(arguments(straight, "--epochs", "1000") + end)
        #expect(left.end() == 0)

        let expected = try Checkpoint(contentsOf: straight.folder.last)
        let found = try Checkpoint(contentsOf: chain.folder.last)
        #expect(found.progress.timeless == expected.progress.timeless)
        #expect(found.progress.step == lastStep + 3)
        var different: [String] = []
        for (name, tensor) in expected.tensors {
            let other = found.tensors[name]?.elements(UInt32.self)
            if other != tensor.elements(UInt32.self) { different.append(name) }
        }
        #expect(different.isEmpty && found.tensors.count == expected.tensors.count)
        // Nothing half-written is left.
        let names = try FileManager.default.contentsOfDirectory(atPath: chain.path)
        #expect(!names.contains { $0.hasSuffix(".part") })
    }

    @Test("saves and stops at Ctrl-C, SIGTERM and SIGUSR2", arguments: [SIGINT, SIGTERM, SIGUSR2])
    func stopsAtSignals(signal: Int32) throws {
        let place = RunPlace()
        let process = try BinaryProcess(arguments(place, "--epochs", "100000"))
        process.wait(for: "run folder")
        process.send(signal)
        #expect(process.end() == 75)
        #expect(process.error.contains("the same command goes on"))
        let again = try BinaryProcess(
            arguments(place, "--epochs", "100000", "--max-steps", "1000000", "--fresh"))
        again.wait(for: "run folder")
        again.send(SIGTERM)
        #expect(again.end() == 75, "\(again.error)")
        #expect(again.error.contains("the same command without --fresh goes on"))
    }

    @Test("saves and goes on at SIGUSR1")
    func savesAtSignal() throws {
        let place = RunPlace()
        let process = try BinaryProcess(arguments(place, "--epochs", "100000"))
        process.wait(for: "run folder")
        process.send(SIGUSR1)
        process.wait(for: "saved ")
        process.send(SIGTERM)
        #expect(process.end() == 75)
        #expect(process.error.contains("resnet: saved \(place.folder.last) after step"))
    }

    @Test("keeps the old file and ends with 74 where there is no room for the new one")
    func noticesFullDisk() throws {
        let place = RunPlace()
        let first = try BinaryProcess(arguments(place, "--max-steps", "2"))
        #expect(first.end() == 0, "\(first.error)")
        let before = FileManager.default.contents(atPath: place.folder.last)
        // 10 MB a file, where the state takes 90; the signal for it is ignored, so that writing fails.
        let full = try BinaryProcess(
            arguments(place, "--max-steps", "4"),
            under: ["bash", "-c", "trap '' XFSZ; ulimit -f 10000; exec \"$@\"", "bash"])
        #expect(full.end() == 74, "\(full.error)")
        #expect(full.error.contains("last.safetensors: cannot be written"))
        let after = FileManager.default.contents(atPath: place.folder.last)
        let isSame = before == after && before != nil
        #expect(isSame)
        let more = try BinaryProcess(arguments(place, "--max-steps", "4"))
        #expect(more.end() == 0)
        #expect(more.error.contains("resumed from last.safetensors after step 2"))
        // Once more: nothing is left to do.
        let same = try BinaryProcess(arguments(place, "--max-steps", "4"))
        #expect(same.end() == 0)
    }

    @Test("ends with 70 where the loss is no number")
    func noticesNonFiniteLoss() throws {
        let place = RunPlace()
        let process = try BinaryProcess(
            arguments(place, "--lr", "1e30", "--warmup-epochs", "0"))
        #expect(process.end() == 70)
        #expect(process.error.contains("the loss is no finite number"))
    }
}

@Suite("Plans of training")
struct TrainingPlanTests {
    @Test("list every key of the recipe, steps, memory and time")
    func plan() async throws {
        let folder = try TemporaryFolder()
        let console = TestConsole()
        let status = await console.run(
            "train", "shapes:train=64,val=20,size=32", "--recipe", "smoke", "--img-size", "32",
            "-b", "16", "--epochs", "3", "--lr", "0.5", "--aa", "trivial", "--dry-run", "-o",
            folder.path + "/run")
        expect(status, .success)
        for setting in Recipe.settings { #expect(console.output.contains("\n\(setting.key) ")) }
        #expect(console.output.contains("steps        12, 4 an epoch, 16 pictures each"))
        #expect(console.output.contains("memory ") && console.output.contains("ms a step"))
        #expect(console.output.contains("learning_rate  "))
        // A plan leaves nothing behind.
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"))

        let json = TestConsole()
        expect(
            await json.run(
                "train", "shapes:train=64,val=20,size=32", "--recipe", "smoke", "--img-size", "32",
                "--dry-run", "--format", "json", "-o", folder.path + "/run"), .success)
        struct Plan: Decodable {
            var steps: Int
            var recipe: [String: String]
            var seconds: Double
        }
        let plan = try JSONDecoder().decode(Plan.self, from: Data(json.output.utf8))
        #expect(plan.steps == 8 && plan.recipe["depth"] == "18" && plan.seconds > 0)
        #expect(plan.recipe["eval_resize"] == "32")
    }

    @Test("are made beside a run of other settings where it would be removed, and take percentages")
    func planAnew() async throws {
        let folder = try TemporaryFolder()
        try folder.write("data: other\n", to: "run/config.yaml")
        let arguments = [
            "train", "shapes:train=64,val=20,size=32", "--recipe", "smoke", "--img-size", "32",
            "-b", "8", "--dry-run", "--max-bad", "2%", "--validation-share", "10%", "-o",
            folder.path + "/run",
        ]
        let refused = TestConsole()
        expect(await refused.run(arguments: arguments), .inputMissing)
        let console = TestConsole()
        expect(await console.run(arguments: arguments + ["--fresh"]), .success)
        #expect(console.output.contains("steps        16, 8 an epoch"))
        #expect(try folder.text(of: "run/config.yaml") == "data: other\n")
    }

    @Test("refuse a run in the data's folder, and a nameless one")
    func keepOutOfData() async throws {
        let folder = try TemporaryFolder()
        for (index, name) in ["cats/0.png", "cats/1.png", "dogs/2.png", "dogs/3.png"].enumerated() {
            try folder.write(try TinyModelFile.png(UInt64(index)), to: "pets/" + name)
        }
        let data = folder.path + "/pets"
        for place in [data, data + "/", data + "/runs/new", data + "/cats", data + "/../pets/x"] {
            let console = TestConsole()
            let status = await console.run(
                "train", data, "--recipe", "smoke", "--dry-run", "-o", place)
            expect(status, .usage)
            #expect(console.error.contains("outside the data's folder"), "\(console.error)")
        }
        let nameless = TestConsole()
        expect(await nameless.run("train", "", "--recipe", "smoke", "--dry-run"), .usage)
        let names = try folderContents(atPath: data).map { $0.name }
        #expect(names == ["cats", "dogs"])
    }

    @Test(
        "end with 64 where a flag makes no sense",
        arguments: [
            ["--epochs", "-1"], ["--recipe", "finetun"], ["--opt", "adam"], ["--freeze", "head"],
            ["-b", "65"], ["--set", "epochs"], ["--set", "epoch=1"], ["--crop-pct", "2"],
            ["--max-time", "soon"], ["--val-interval", "0"], ["--recipe", "linear-probe"],
            ["--format", "csv"], ["--stop-at-top1", "101"], ["-o", ""], ["--max-bad", "101%"],
            ["--validation-share", "95%"],
        ])
    func refuse(arguments: [String]) async throws {
        let folder = try TemporaryFolder()
        let console = TestConsole()
        let status = await console.run(
            arguments: [
                "train", "shapes:train=64,val=20,size=32", "--dry-run", "-o", folder.path + "/run",
            ] + (arguments.first == "--recipe" ? [] : ["--recipe", "smoke"]) + arguments)
        #expect(status == .usage, "\(console.error)")
    }
}
