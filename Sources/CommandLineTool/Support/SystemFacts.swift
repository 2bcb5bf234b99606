import FoundationEssentials

/// The most memory that this process has had at a time; `nil` where the system does not say.
func peakMemoryByteCount() -> Int? {
    kibibytes("VmHWM", inFile: "/proc/self/status").map { $0 * 1024 }
}

/// What training may take unless it is told: four fifths of the memory that could be had now.
func memoryForTraining() -> Int? { machineMemory().map { $0.available / 5 * 4 } }

/// The machine's memory, all of it and the part that could be had now.
func machineMemory() -> (total: Int, available: Int)? {
    let file = "/proc/meminfo"
    guard let total = kibibytes("MemTotal", inFile: file),
        let available = kibibytes("MemAvailable", inFile: file)
    else { return nil }
    return (total * 1024, available * 1024)
}

/// The processor's name and the instruction sets of it that matter here.
func processorFacts() -> (name: String, instructions: [String]) {
    let text = systemFile("/proc/cpuinfo")
    let name = field("model name", in: text) ?? "unknown processor"
    let flags = Set((field("flags", in: text) ?? "").split(separator: " ").map(String.init))
    let known = [
        ("avx2", "AVX2"), ("fma", "FMA"), ("avx512f", "AVX-512"), ("avx512_vnni", "AVX-512 VNNI"),
        ("avx512_bf16", "AVX-512 bf16"), ("amx_bf16", "AMX bf16"), ("amx_int8", "AMX int8"),
    ]
    return (name, known.filter { flags.contains($0.0) }.map(\.1))
}

private func kibibytes(_ name: String, inFile path: String) -> Int? {
    field(name, in: systemFile(path))?.split(separator: " ").first.flatMap { Int($0) }
}

/// The value after a name and a colon, of the first line that has it.
private func field(_ name: String, in text: String) -> String? {
    for line in text.split(separator: "\n") {
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, trimmed(parts[0]) == name else { continue }
        return trimmed(parts[1])
    }
    return nil
}

private func trimmed(_ text: Substring) -> String {
    var text = text.drop { $0.isWhitespace }
    while text.last?.isWhitespace ?? false { text.removeLast() }
    return String(text)
}

/// The text of one of the kernel's files, whose length it does not tell; empty where there is none.
private func systemFile(_ path: String) -> String {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
}
