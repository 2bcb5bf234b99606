import Native

/// A kind of GPU to compile for where there is none.
///
/// Source of the numbers: NVIDIA's data sheets and CUDA's limits for the compute capability.
public struct GPUTarget: Sendable {
    /// How users ask for it, as in `h200`.
    public let name: String
    /// What it is called, as in `NVIDIA H200 141GB HBM3e`.
    public let title: String
    /// CUDA's compute capability.
    public let capability: (major: Int, minor: Int)
    /// Streaming multiprocessors.
    public let coreCount: Int
    /// Bytes of memory.
    public let memoryByteCount: Int
    /// Bytes a second between memory and processor.
    public let memoryBandwidth: Int
    /// Bytes of the second-level cache.
    public let cacheByteCount: Int
    /// Cycles a second at most.
    public let clockGigahertz: Double
    /// Bytes of shared memory for each core, and for a block that asks for more than the usual 48 KiB.
    public let sharedMemory: (core: Int, block: Int)

    /// The kinds that are known.
    public static let all = [
        GPUTarget(
            name: "a100", title: "NVIDIA A100-SXM4-80GB", capability: (8, 0), coreCount: 108,
            memoryByteCount: 80 << 30, memoryBandwidth: 2_039_000_000_000,
            cacheByteCount: 40 << 20, clockGigahertz: 1.41, sharedMemory: (167_936, 166_912)),
        GPUTarget(
            name: "h100", title: "NVIDIA H100 80GB HBM3", capability: (9, 0), coreCount: 132,
            memoryByteCount: 80 << 30, memoryBandwidth: 3_350_000_000_000,
            cacheByteCount: 50 << 20, clockGigahertz: 1.98, sharedMemory: (233_472, 232_448)),
        GPUTarget(
            name: "h200", title: "NVIDIA H200 141GB HBM3e", capability: (9, 0), coreCount: 132,
            memoryByteCount: 141 << 30, memoryBandwidth: 4_800_000_000_000,
            cacheByteCount: 50 << 20, clockGigahertz: 1.98, sharedMemory: (233_472, 232_448)),
    ]

    /// The kind of a name; `nil` where it is not known.
    public static func named(_ name: String) -> GPUTarget? { all.first { $0.name == name } }

    /// What the plugin is told of one machine with some of these.
    func topology(devices: Int) -> [String: PJRTValue] {
        ["target_config": .text(configuration), "topology": .text("1x1x\(devices)")]
    }

    /// XLA's `GpuTargetConfigProto` as text.
    private var configuration: String {
        // Compute capability 9.0 has instructions that only code for 9.0a uses.
        let extensions = capability.major == 9 ? " feature_extension: ACCELERATED_FEATURES" : ""
        return """
            gpu_device_info {
              threads_per_block_limit: 1024 threads_per_warp: 32 threads_per_core_limit: 2048
              shared_memory_per_block: 49152 shared_memory_per_core: \(sharedMemory.core)
              shared_memory_per_block_optin: \(sharedMemory.block)
              registers_per_core_limit: 65536 registers_per_block_limit: 65536
              core_count: \(coreCount) fpus_per_core: \(capability.major == 8 ? 64 : 128)
              block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
              memory_bandwidth: \(memoryBandwidth) l2_cache_size: \(cacheByteCount)
              clock_rate_ghz: \(clockGigahertz) device_memory_size: \(memoryByteCount)
              cuda_compute_capability { major: \(capability.major) minor: \(capability.minor)\(extensions) }
            }
            platform_name: "CUDA"
            dnn_version_info { major: 9 minor: 10 patch: 0 }
            device_description_str: "\(title)"
            """
    }
}
