import Foundation
import Testing

@Suite("The binary", .enabled(if: Binary.path != nil, "the program is not beside the tests"))
struct BinaryTests {
    @Test("keeps results and messages apart")
    func separatesStreams() async throws {
        let help = try await Binary.run(["inspect", "resnet18", "--format", "csv"])
        #expect(help.status == 0 && help.error == "")
        #expect(help.output.hasPrefix("layer,kind,"))
        let wrong = try await Binary.run(["inspect", "resnet18", "--nonsense"])
        #expect(wrong.status == 64 && wrong.output == "")
        #expect(wrong.error.contains("--nonsense"))
    }

    @Test("ends with 130 at Ctrl-C and 143 when told to, with a JSON array closed")
    func stops() async throws {
        let model = try TinyModelFile.shared.get().path
        let arguments = [
            "classify", "-w", model, "--crop", "32", "--resize", "32", "--format", "json", "-",
        ]
        for (signal, status) in [(SIGINT, 130), (SIGTERM, 143)] {
            // Nothing ever comes through the standard input, so only the signal can end it.
            let stopped = try await Binary.run(arguments, signal: signal, after: "[")
            #expect(stopped.status == status)
            #expect(stopped.output == "[]\n")
            #expect(stopped.error == "resnet: stopped\n")
        }
    }

    @Test("ends with 74 where the output is full")
    func noticesFullDisk() async throws {
        let full = try #require(FileHandle(forWritingAtPath: "/dev/full"))
        let result = try await Binary.run(["inspect", "resnet18"], output: full)
        #expect(result.status == 74)
        #expect(result.error.hasPrefix("resnet: standard output: cannot be written"))
    }
}
