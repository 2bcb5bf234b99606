import Foundation

/// The real weights, unpacked once into `.build/test-weights`.
enum SharedWeights {
    private static let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")

    /// Where the shared data is: `RESNET_SHARED_DATA`, else beside the package.
    private static let data: String? = {
        let environment = ProcessInfo.processInfo.environment
        let path = environment["RESNET_SHARED_DATA"] ?? "/\(root)/../shared/data"
        return FileManager.default.isExecutableFile(atPath: "\(path)/unpack") ? path : nil
    }()

    private static let hasUnpacker = (ProcessInfo.processInfo.environment["PATH"] ?? "")
        .split(separator: ":")
        .contains { FileManager.default.isExecutableFile(atPath: "\($0)/xz") }

    /// Whether the weights can be had; tests that need them are skipped where not.
    static var areAvailable: Bool { data != nil && hasUnpacker }

    /// The folder of the unpacked files.
    static let folder: String? = {
        guard let data, hasUnpacker else { return nil }
        let folder = "/\(root)/.build/test-weights"
        let unpacking = Process()
        unpacking.executableURL = URL(fileURLWithPath: "\(data)/unpack")
        unpacking.arguments = [folder]
        guard (try? unpacking.run()) != nil else { return nil }
        unpacking.waitUntilExit()
        return unpacking.terminationStatus == 0 ? folder : nil
    }()
}
