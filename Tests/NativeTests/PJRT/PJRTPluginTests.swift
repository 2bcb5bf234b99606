import FoundationEssentials
import Native
import Testing

@Suite("PJRT plugins")
struct PJRTPluginTests {
    private static let otherLibrary = [
        "/lib/x86_64-linux-gnu/libz.so.1", "/lib/aarch64-linux-gnu/libz.so.1", "/lib64/libz.so.1",
        "/usr/lib/libz.so.1",
    ].first { FileKind(atPath: $0) == .regular }

    private func failure(_ path: String) -> NativeError? {
        #expect(throws: NativeError.self) { _ = try PJRTPlugin.load(path) }
    }

    @Test("that are not there are named")
    func missing() {
        let error = failure("/nowhere/plugin.so")
        #expect(error?.code == .notFound)
        #expect(error?.message.contains("/nowhere/plugin.so") == true)
    }

    @Test("need a name")
    func empty() {
        #expect(failure("")?.code == .notFound)
    }

    @Test("are not any library", .enabled(if: otherLibrary != nil, "libz was not found"))
    func notPlugin() {
        let error = failure(Self.otherLibrary ?? "")
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("libz") == true)
        #expect(error?.message.contains("GetPjrtApi") == true)
    }

    @Test("are not any file")
    func notLibrary() throws {
        let path = "\(FileManager.default.temporaryDirectory.path)/resnet-\(UUID().uuidString).so"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try writeFile(Memory(copying: Array("plugin".utf8)), toPath: path)
        let error = failure(path)
        #expect(error?.code == .unsupported)
        #expect(error?.message.contains("resnet-") == true)
    }

    @Test("are loaded once and say what they are", .withCPUPlugin)
    func attributes() throws {
        let path = try #require(CPUPlugin.path)
        let plugin = try PJRTPlugin.load(path, preloading: ["/nowhere/library.so"])
        let again = try PJRTPlugin.load(path)
        #expect(plugin === again)
        #expect(plugin.apiVersion == "0.81")
        #expect(plugin.attributes["xla_version"] == .number(2))
        #expect(plugin.attributes["stablehlo_current_version"] == .numbers([1, 13, 3]))
    }

    @Test("open as many devices as they are asked for", .withCPUPlugin)
    func devices() throws {
        let client = try CPUPlugin.open(devices: 3)
        #expect(client.platformName == "cpu")
        #expect(client.devices.map(\.index) == [0, 1, 2])
        #expect(client.devices.map(\.id) == [0, 1, 2])
        #expect(client.devices.allSatisfy { $0.kind == "cpu" && !$0.description.isEmpty })
        let path = CPUPlugin.path.map { $0.split(separator: "/").last }
        #expect(client.plugin.path.split(separator: "/").last == path)
    }

    @Test("tell the memory of a device, or that they cannot", .withCPUPlugin)
    func memory() throws {
        let client = try CPUPlugin.shared.get()
        let error = #expect(throws: NativeError.self) { _ = try client.memory(of: 0) }
        #expect(error?.code == .unsupported)
        let outside = #expect(throws: NativeError.self) { _ = try client.memory(of: 2) }
        #expect(outside?.code == .invalidArgument)
    }

    @Test("compile ahead of time, or say that they cannot", .withCPUPlugin)
    func topology() throws {
        let plugin = try PJRTPlugin.load(CPUPlugin.path ?? "")
        let error = #expect(throws: NativeError.self) {
            _ = try plugin.compile(
                Program.add(), PJRTCompileOptions(), topology: ["topology": .text("no such")])
        }
        #expect(error?.message.contains("xla_cpu_pjrt.so") == true)
    }
}
