extension PJRTPlugin {
    /// What a plugin compiles for.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// The processor: slow, exact, and there on any machine; for tests.
        case cpu
        /// NVIDIA's GPUs, or whatever device a plugin that was named has.
        case gpu
    }

    /// A plugin that could be loaded.
    public struct Candidate: Sendable, Hashable {
        /// The library.
        public let path: String
        /// Libraries beside it to open first, for `load(_:preloading:)`.
        public let preloading: [String]
        /// The folder beside it that holds `bin/ptxas` and `nvvm`, for the flag `xla_gpu_cuda_data_dir`.
        public let toolkitFolder: String?
    }

    /// Plugins of this machine, the most preferred first; nothing is loaded.
    ///
    /// Looked for beside the program (`../lib/resnet`), in the package's own `.native/xla` above the program, and where
    /// pip installs: `$VIRTUAL_ENV`, `~/.local/lib`, `/usr/local/lib` and `/usr/lib`; never in the current folder,
    /// which may be a stranger's. A plugin that `RESNET_PJRT_PLUGIN` names stands alone: taking another instead would
    /// hide a mistake. It counts as the processor's where its file's name has `cpu` in it.
    ///
    /// - Parameters:
    ///   - kind: what it compiles for.
    ///   - path: a plugin that the user names, which stands alone.
    /// - Returns: those that are there; one that was named also where it is not, so that loading it says so.
    public static func candidates(_ kind: Kind, named path: String? = nil) -> [Candidate] {
        PJRTPluginSearch.current.candidates(kind, named: path)
    }

    /// Where `candidates(_:named:)` looks, for messages: folders laid out as `site-packages` is.
    public static func searchedFolders() -> [String] { PJRTPluginSearch.current.folders() }
}

/// Where plugins are looked for.
package struct PJRTPluginSearch: Sendable {
    /// The folder of the program.
    package var programFolder = ""
    /// A plugin that the environment names.
    package var named: String?
    /// The Python environment that is in use.
    package var virtualEnvironment: String?
    /// The user's folder.
    package var home: String?
    /// What stands before `/usr`.
    package var systemRoot = ""

    /// A search of nothing.
    package init() {}

    /// The search of this process.
    package static var current: PJRTPluginSearch {
        var search = PJRTPluginSearch()
        search.programFolder = executableFolder()
        search.named = environmentVariable("RESNET_PJRT_PLUGIN")
        search.virtualEnvironment = environmentVariable("VIRTUAL_ENV")
        search.home = environmentVariable("HOME")
        return search
    }

    /// Plugins that are there, the most preferred first.
    package func candidates(
        _ kind: PJRTPlugin.Kind, named path: String? = nil
    ) -> [PJRTPlugin.Candidate] {
        if let path { return [candidate(path)] }
        if let named, !named.isEmpty, (kind == .cpu) == fileName(of: named).contains("cpu") {
            return [candidate(named)]
        }
        let libraries =
            switch kind {
            case .cpu: ["xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so"]
            case .gpu:
                ["13", "12"].map { "jax_plugins/xla_cuda\($0)/xla_cuda_plugin.so" }
            }
        return folders().flatMap { folder in
            libraries.map { "\(folder)/\($0)" }.filter { FileKind(atPath: $0) == .regular }
        }.map(candidate)
    }

    /// Folders laid out as `site-packages` is, whether they are there or not.
    package func folders() -> [String] {
        var folders: [String] = []
        if programFolder.hasPrefix("/") {
            folders.append("\(programFolder)/../lib/resnet")
            // A build product lies some folders below the package: .build/<platform>/<configuration>.
            var folder = programFolder
            for _ in 0..<5 where folder.count > 1 {
                folders.append("\(folder)/.native/xla")
                folder = String(folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)])
            }
        }
        // A folder that is not absolute would be one below the current folder.
        if let virtualEnvironment, virtualEnvironment.hasPrefix("/") {
            folders += packages("\(virtualEnvironment)/lib", ["site-packages"])
        }
        if let home, home.hasPrefix("/") {
            folders += packages("\(home)/.local/lib", ["site-packages"])
        }
        folders += packages("\(systemRoot)/usr/local/lib", ["site-packages", "dist-packages"])
        folders += packages("\(systemRoot)/usr/lib", ["dist-packages"])
        return folders
    }

    /// The folders of Python's packages in a `lib`, of the newest Python first.
    private func packages(_ folder: String, _ names: [String]) -> [String] {
        guard let contents = try? folderContents(atPath: folder) else { return [] }
        let versions = contents.map(\.name).filter { $0.hasPrefix("python3") }
        // As in `python3.12`; `python3` alone is what the system's packages share.
        let newestFirst = versions.sorted { minorVersion($0) > minorVersion($1) }
        return newestFirst.flatMap { version in names.map { "\(folder)/\(version)/\($0)" } }
    }

    private func minorVersion(_ python: String) -> Int {
        Int(python.dropFirst("python3.".count)) ?? -1
    }

    /// A plugin with what lies beside it.
    private func candidate(_ path: String) -> PJRTPlugin.Candidate {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard let major = cudaVersion(parts) else {
            return PJRTPlugin.Candidate(path: path, preloading: [], toolkitFolder: nil)
        }
        let nvidia = (parts.dropLast(3) + ["nvidia"]).joined(separator: "/")
        let toolkit = "\(nvidia)/\(major < 13 ? "cuda_nvcc" : "cu\(major)")"
        return PJRTPlugin.Candidate(
            path: path,
            preloading: cudaLibraries(major).map { "\(nvidia)/\($0)" }.filter {
                FileKind(atPath: $0) == .regular
            },
            toolkitFolder: FileKind(atPath: "\(toolkit)/bin/ptxas") == .regular ? toolkit : nil)
    }

    /// The CUDA that a plugin in a folder such as `jax_plugins/xla_cuda13` is for; `nil` elsewhere.
    private func cudaVersion(_ parts: [Substring]) -> Int? {
        guard parts.count >= 3, parts[parts.count - 3] == "jax_plugins",
            parts[parts.count - 2].hasPrefix("xla_cuda")
        else { return nil }
        return Int(parts[parts.count - 2].dropFirst("xla_cuda".count))
    }

    /// What the plugin would look for by name alone, in the order in which one needs another; as the plugin's own
    /// Python module opens them.
    private func cudaLibraries(_ major: Int) -> [String] {
        func folder(_ name: String) -> String { major < 13 ? name : "cu\(major)" }
        return [
            "\(folder("cuda_runtime"))/lib/libcudart.so.\(major)",
            "\(folder("cuda_nvrtc"))/lib/libnvrtc.so.\(major)",
            "\(folder("cublas"))/lib/libcublasLt.so.\(major)",
            "\(folder("cublas"))/lib/libcublas.so.\(major)",
            "nccl/lib/libnccl.so.2",
            "cudnn/lib/libcudnn.so.9",
        ]
    }
}
