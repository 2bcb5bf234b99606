import Execution
import Foundation
import Graph
import Native
import Tensors
import Testing
import XLABackend

@Suite("XLA's runtime", .serialized, .enabled(if: XLAPlugin.isAvailable, XLAPlugin.reason))
struct XLARuntimeTests {
    /// `y = w * x`, after which `w` is `y`, and a filter that stays.
    private func graph(count: Int = 3, replicas: Int = 1) throws -> Graph {
        var builder = GraphBuilder(name: "product")
        let x = try builder.input("x", type: TensorType(.float32, [count]))
        let w = try builder.state("w", type: TensorType(.float32, [count]))
        let filter = try builder.state("filter", type: TensorType(.float32, [2, 3, 1, 2]))
        let product = try builder.multiply(w, by: x)
        try builder.output("y", product)
        try builder.output("norm", builder.squaredNorm([filter]))
        try builder.update("w", product)
        return try builder.finish()
    }

    private let filter = HostTensor((0..<12).map { Float($0) }, shape: [2, 3, 1, 2])

    @Test("keeps state on the device, donates it, and gives filters back in their own order")
    func state() throws {
        let update = try XLAPlugin.backend().compileUpdate(graph(), parameters: [:])
        let start: Parameters = [
            "w": HostTensor([1, 2, 3] as [Float], shape: [3]), "filter": filter,
        ]
        var state = try update.makeState(start)
        let x = HostTensor([2, 2, -1] as [Float], shape: [3])
        #expect(try update.run([x], state: &state)[0].floats() == [2, 4, -3])
        let outputs = try update.run([x], state: &state)
        #expect(outputs[0].floats() == [4, 8, 3])
        #expect(outputs[1].floats() == [506])
        let tensors = try state.tensors()
        #expect(tensors["w"]?.floats() == [4, 8, 3])
        #expect(tensors["filter"]?.floats() == filter.floats())
        #expect(tensors["filter"]?.shape == filter.shape)
    }

    @Test("starts runs before earlier ones are read, in order")
    func ahead() throws {
        let update = try XLAPlugin.backend().compileUpdate(graph(), parameters: [:])
        var state = try update.makeState([
            "w": HostTensor([1, 2, 3] as [Float], shape: [3]), "filter": filter,
        ])
        let x = HostTensor([2, 2, -1] as [Float], shape: [3])
        var runs: [PendingOutputs] = []
        for _ in 0..<3 { runs.append(try update.start([x], state: &state)) }
        var code: ExecutionError.Code?
        do { _ = try update.start([filter], state: &state) } catch { code = error.code }
        #expect(code == .typeMismatch)
        // Reading the state waits for all of them, and so does an output for its run, as often as it is asked.
        #expect(try state.tensors(named: ["w"])["w"]?.floats() == [8, 16, -3])
        let expected: [[Float]] = [[8, 16, -3], [4, 8, 3], [2, 4, -3], [8, 16, -3]]
        for (run, numbers) in zip([runs[2], runs[1], runs[0], runs[2]], expected) {
            let outputs = try run.wait()
            #expect(outputs[0].floats() == numbers)
        }
    }

    @Test("refuses inputs and state that do not fit, and leaves the state as it was")
    func refusals() throws {
        let backend = try XLAPlugin.backend()
        let update = try backend.compileUpdate(graph(), parameters: [:])
        let w = HostTensor([1, 2, 3] as [Float], shape: [3])
        #expect(throws: ExecutionError.self) { _ = try update.makeState(["w": w]).tensors() }
        #expect(throws: ExecutionError.self) {
            _ = try update.makeState(["w": filter, "filter": filter]).tensors()
        }
        var state = try update.makeState(["w": w, "filter": filter])
        for inputs in [[], [filter], [w, w]] {
            var code: ExecutionError.Code?
            do { _ = try update.run(inputs, state: &state) } catch { code = error.code }
            #expect(code == .typeMismatch)
        }
        #expect(try state.tensors(named: ["w"])["w"]?.floats() == [1, 2, 3])
        var missing: ExecutionError.Code?
        do { _ = try state.tensors(named: ["v"]) } catch { missing = error.code }
        #expect(missing == .missingParameter)
        // Another back end has other devices.
        let other = try XLAPlugin.backend().compileUpdate(graph(), parameters: [:])
        var code: ExecutionError.Code?
        do { _ = try other.run([w], state: &state) } catch { code = error.code }
        #expect(code == .typeMismatch)
    }

    @Test("says which plugin is missing, or is none")
    func plugins() throws {
        for path in ["/nowhere/plugin.so", "/etc/hostname"] {
            var options = XLABackend.Options()
            options.plugin = path
            let error = #expect(throws: ExecutionError.self) {
                _ = try XLABackend(.gpu, options: options)
            }
            #expect(error?.code == .deviceUnavailable)
            #expect(error?.message.contains(path) == true)
        }
    }

    @Test("keeps compiled programs, and compiles anew what was damaged")
    func cache() throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "xla-cache-\(UInt64.random(in: 0 ... .max))").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var options = XLABackend.Options()
        options.cacheFolder = folder
        let w = HostTensor([1, 2, 3] as [Float], shape: [3])
        func product() throws -> [Float] {
            let backend = try XLABackend(.cpu, options: options)
            let update = try backend.compileUpdate(graph(), parameters: [:])
            var state = try update.makeState(["w": w, "filter": filter])
            return try update.run([w], state: &state)[0].floats()
        }
        #expect(try product() == [1, 4, 9])
        let files = try folderContents(atPath: folder)
        #expect(files.count == 1)
        #expect(try product() == [1, 4, 9])
        #expect(try folderContents(atPath: folder).count == 1)
    }
}
