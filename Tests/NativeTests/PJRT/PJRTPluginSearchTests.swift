import FoundationEssentials
import Native
import Testing

@Suite("The search for PJRT plugins")
struct PJRTPluginSearchTests {
    private let cpu = "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so"
    private let cuda13 = "jax_plugins/xla_cuda13/xla_cuda_plugin.so"
    private let cuda12 = "jax_plugins/xla_cuda12/xla_cuda_plugin.so"

    /// Makes a folder with empty files in it.
    private func with(
        _ files: [String], _ body: (_ folder: String, _ search: PJRTPluginSearch) throws -> Void
    ) throws {
        let folder = "\(FileManager.default.temporaryDirectory.path)/resnet-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for file in files {
            let path = "\(folder)/\(file)"
            try createFolder(atPath: String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
            try writeFile(Memory(copying: [UInt8]()), toPath: path)
        }
        var search = PJRTPluginSearch()
        search.systemRoot = folder
        search.programFolder = "\(folder)/package/.build/x86/release"
        search.home = "\(folder)/home"
        search.virtualEnvironment = "\(folder)/venv"
        try body(folder, search)
    }

    @Test("prefers what lies nearer, and the newer of two")
    func order() throws {
        let places = [
            "package/.build/x86/lib/resnet/\(cuda12)", "package/.native/xla/\(cuda13)",
            "venv/lib/python3.9/site-packages/\(cuda13)",
            "home/.local/lib/python3.12/site-packages/\(cuda13)",
            "home/.local/lib/python3.12/site-packages/\(cuda12)",
            "home/.local/lib/python3.9/site-packages/\(cuda13)",
            "usr/local/lib/python3.11/site-packages/\(cuda12)",
            "usr/local/lib/python3.11/dist-packages/\(cuda13)",
            "usr/lib/python3/dist-packages/\(cuda13)",
        ]
        // The program's own folder has to be there for `..` to lead out of it.
        try with(places + ["package/.build/x86/release/resnet", "home/\(cuda13)"]) {
            folder, search in
            let found = search.candidates(.gpu).map(\.path)
            let expected = places.map { place in
                place == places[0]
                    ? "\(folder)/package/.build/x86/release/../lib/resnet/\(cuda12)"
                    : "\(folder)/\(place)"
            }
            #expect(found == expected)
            #expect(search.candidates(.cpu).isEmpty)
        }
    }

    @Test("takes the processor's only where it is asked for")
    func kinds() throws {
        try with(["package/.native/xla/\(cpu)"]) { folder, search in
            #expect(search.candidates(.gpu).isEmpty)
            #expect(search.candidates(.cpu).map(\.path) == ["\(folder)/package/.native/xla/\(cpu)"])
        }
    }

    @Test("never looks in the current folder")
    func absolute() {
        var search = PJRTPluginSearch()
        search.home = "."
        search.virtualEnvironment = "venv"
        search.systemRoot = "/nowhere"
        #expect(search.folders().isEmpty)
        #expect(PJRTPlugin.searchedFolders().allSatisfy { $0.hasPrefix("/") })
    }

    @Test("takes nothing else where one is named")
    func named() throws {
        try with(["package/.native/xla/\(cpu)", "package/.native/xla/\(cuda13)"]) {
            folder, search in
            var search = search
            #expect(search.candidates(.gpu, named: "/a/b.so").map(\.path) == ["/a/b.so"])
            search.named = "/c/plugin.so"
            #expect(search.candidates(.gpu).map(\.path) == ["/c/plugin.so"])
            #expect(search.candidates(.gpu, named: "/a/b.so").map(\.path) == ["/a/b.so"])
            #expect(search.candidates(.cpu).map(\.path) == ["\(folder)/package/.native/xla/\(cpu)"])
            search.named = "/c/my_cpu.so"
            #expect(search.candidates(.cpu).map(\.path) == ["/c/my_cpu.so"])
            #expect(
                search.candidates(.gpu).map(\.path) == ["\(folder)/package/.native/xla/\(cuda13)"])
        }
    }

    @Test("finds CUDA's libraries beside a plugin, of its own version")
    func preloading() throws {
        let packages = "venv/lib/python3.12/site-packages"
        let files = [
            "\(packages)/\(cuda12)", "\(packages)/\(cuda13)",
            "\(packages)/nvidia/cu13/lib/libcudart.so.13", "\(packages)/nvidia/cu13/bin/ptxas",
            "\(packages)/nvidia/cu13/lib/libcublas.so.13",
            "\(packages)/nvidia/cu13/lib/libcublasLt.so.13",
            "\(packages)/nvidia/cuda_runtime/lib/libcudart.so.12",
            "\(packages)/nvidia/cudnn/lib/libcudnn.so.9",
        ]
        try with(files) { folder, search in
            let found = search.candidates(.gpu)
            #expect(found.map(\.path) == ["\(folder)/\(files[1])", "\(folder)/\(files[0])"])
            let nvidia = "\(folder)/\(packages)/nvidia"
            #expect(
                found.first?.preloading == [
                    "\(nvidia)/cu13/lib/libcudart.so.13", "\(nvidia)/cu13/lib/libcublasLt.so.13",
                    "\(nvidia)/cu13/lib/libcublas.so.13", "\(nvidia)/cudnn/lib/libcudnn.so.9",
                ])
            #expect(found.first?.toolkitFolder == "\(nvidia)/cu13")
            #expect(
                found.last?.preloading == [
                    "\(nvidia)/cuda_runtime/lib/libcudart.so.12",
                    "\(nvidia)/cudnn/lib/libcudnn.so.9",
                ])
            #expect(found.last?.toolkitFolder == nil)
            #expect(search.candidates(.gpu, named: found.first?.path) == [found.first])
        }
    }
}
