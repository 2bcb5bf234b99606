import Foundation
import ModelFormats
import Native
import Tensors
import TestSupport
import Testing

@Suite(
    "Real weights",
    .enabled(
        if: SharedData.isAvailable,
        "RESNET_SHARED_DATA names no folder of real weights, or xz is missing"))
struct RealWeightsTests {
    @Test("have the elements that torch finds")
    func checksums() throws {
        var files: [String: WeightFile] = [:]
        for row in try Fixtures.table("real.tsv") {
            let file = try files[row[0]] ?? WeightFile(contentsOf: SharedData.weights(row[0]))
            files[row[0]] = file
            #expect(file.tensors.count == Int(row[1]))
            let tensor = try #require(file.tensors.first { $0.name == row[2] }).tensor
            #expect(tensor.shape.dimensions == row[3].split(separator: ",").compactMap { Int($0) })
            #expect(String(crc32(tensor.memory), radix: 16) == String(row[4].drop { $0 == "0" }))
        }
        #expect(files.count == 3)
    }

    @Test("are mapped, not copied", arguments: ["resnet50_v1_5.pth", "resnet50_v1.safetensors"])
    func noCopy(name: String) throws {
        let path = try SharedData.weights(name)
        let before = try anonymousByteCount()
        let file = try WeightFile(contentsOf: path)
        let grown = try anonymousByteCount() - before
        let total = file.tensors.map(\.tensor.memory.byteCount).reduce(0, +)
        #expect(total > 102_000_000)
        // Other tests run at the same time; a copy would take a hundred megabytes.
        #expect(grown < 80 << 20)
        #expect(file.tensors.allSatisfy { $0.tensor.memory.isAligned(for: Float.self) })
    }

    /// Bytes of this process's own memory that are in use, without mapped files.
    private func anonymousByteCount() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("RssAnon") })
        return 1024 * (try #require(line.split(separator: " ").compactMap { Int($0) }.first))
    }
}
