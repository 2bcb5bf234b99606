import Foundation
import Native
import Testing

@Suite("Files that other files name")
struct BeneathTests {
    /// A folder with a file, a folder in it, and links.
    private final class Place {
        let folder: String

        init() throws {
            let files = FileManager.default
            folder =
                files.temporaryDirectory
                .appendingPathComponent("resnet-beneath-\(UUID().uuidString)").path
            try files.createDirectory(
                atPath: folder + "/inner/deep", withIntermediateDirectories: true)
            for name in ["file", "inner/deep/file", "twice"] {
                try Data([1, 2, 3]).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
            }
            try files.linkItem(atPath: folder + "/twice", toPath: folder + "/thrice")
            try files.createSymbolicLink(atPath: folder + "/link", withDestinationPath: "file")
            try files.createSymbolicLink(atPath: folder + "/inner/up", withDestinationPath: "..")
            try files.createSymbolicLink(atPath: folder + "/out", withDestinationPath: "/etc")
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }

        func failure(_ name: String, _ asksKernel: Bool) -> NativeError.Code? {
            do throws(NativeError) {
                _ = try Memory(mapping: name, beneath: folder, asksKernel: asksKernel)
                return nil
            } catch {
                return error.code
            }
        }
    }

    @Test("are mapped, by the kernel's search and by ours", arguments: [true, false])
    func found(asksKernel: Bool) throws {
        let place = try Place()
        for name in ["file", "inner/deep/file"] {
            let memory = try Memory(mapping: name, beneath: place.folder, asksKernel: asksKernel)
            #expect(memory.array == [1, 2, 3])
        }
    }

    @Test("are refused behind links and outside the folder", arguments: [true, false])
    func refused(asksKernel: Bool) throws {
        let place = try Place()
        for name in [
            "link", "out/passwd", "inner/up/file", "twice", "thrice", "../x", "/etc/passwd", "",
            ".",
            "inner/../file", "inner//deep/file", "a\0b",
        ] {
            #expect(place.failure(name, asksKernel) == .addressRefused, "\(name)")
        }
        #expect(place.failure("none", asksKernel) == .notFound)
        #expect(place.failure("none/file", asksKernel) == .notFound)
        #expect(place.failure("inner", asksKernel) == .inputOutput)
        #expect(place.failure("file/file", asksKernel) == .inputOutput)
    }
}
