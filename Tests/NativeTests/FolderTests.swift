import Foundation
import Native
import Testing

@Suite("Files and folders")
struct FolderTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let path = "\(FileManager.default.temporaryDirectory.path)/resnet-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try createFolder(atPath: path)
        try body(path)
    }

    private func write(_ text: String, _ path: String) throws {
        try writeFile(Memory(copying: Array(text.utf8)), toPath: path)
    }

    @Test("tell what lies at a path")
    func tellsKinds() throws {
        try withFolder { folder in
            try write("x", folder + "/file")
            try FileManager.default.createSymbolicLink(
                atPath: folder + "/link", withDestinationPath: folder + "/file")
            #expect(FileKind(atPath: folder) == .folder)
            #expect(FileKind(atPath: folder + "/file") == .regular)
            #expect(FileKind(atPath: folder + "/link") == .regular)
            #expect(FileKind(atPath: "/dev/null") == .other)
            #expect(FileKind(atPath: folder + "/nothing") == nil)
            let contents = try folderContents(atPath: folder)
            #expect(contents.map(\.name) == ["file", "link"])
            #expect(contents.map(\.kind) == [.regular, .link])
        }
    }

    @Test("are listed in the order of their names' bytes")
    func sorts() throws {
        try withFolder { folder in
            for name in ["b", "B", "é", "a10", "a2", ".x"] { try write("", folder + "/" + name) }
            let names = try folderContents(atPath: folder).map(\.name)
            #expect(names == [".x", "B", "a10", "a2", "b", "é"])
        }
    }

    @Test("with names that are not UTF-8 are listed as such")
    func namesOtherBytes() throws {
        try withFolder { folder in
            try write("", folder + "/b")
            try makeOddlyNamed(in: folder)
            let contents = try folderContents(atPath: folder)
            #expect(contents.map { $0.name } == ["a\u{FFFD}", "b"])
            #expect(contents.map { $0.kind } == [.unreachable, .regular])
        }
    }

    /// A file called `a` and the byte 0xE9, which is é in Latin-1.
    private func makeOddlyNamed(in folder: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "cd \"$1\" && : > \"$(printf 'a\\351')\"", "sh", folder]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test("that are not there are named")
    func namesMissing() throws {
        try withFolder { folder in
            let missing = #expect(throws: NativeError.self) {
                _ = try folderContents(atPath: folder + "/nothing")
            }
            #expect(missing?.code == .notFound)
            #expect(missing?.message.contains("/nothing") == true)
            try write("x", folder + "/file")
            let file = #expect(throws: NativeError.self) {
                _ = try folderContents(atPath: folder + "/file")
            }
            #expect(file?.code == .notFound)
            let inside = #expect(throws: NativeError.self) {
                try createFolder(atPath: folder + "/file/below")
            }
            #expect(inside?.code == .inputOutput)
        }
    }

    @Test("are replaced whole, and devices written as they are")
    func writes() throws {
        try withFolder { folder in
            try write("old and long", folder + "/file")
            try write("new", folder + "/file")
            let memory = try Memory(mapping: folder + "/file")
            #expect(memory.byteCount == 3)
            #expect(try folderContents(atPath: folder).count == 1)
            try write("gone", "/dev/null")
            #expect(FileKind(atPath: "/dev/null") == .other)
            let error = #expect(throws: NativeError.self) {
                try write("x", folder + "/nothing/file")
            }
            #expect(error?.code == .notFound)
            let full = #expect(throws: NativeError.self) { try write("x", "/dev/full") }
            #expect(full?.code == .inputOutput)
        }
    }

    @Test("that the system is short of are told from those that are not there")
    func codes() {
        // ENOENT, ENOMEM, EACCES, ENFILE, EMFILE.
        let codes = ([2, 12, 13, 23, 24] as [Int32]).map { NativeError.Code(openingFailedWith: $0) }
        #expect(
            codes == [
                .notFound, .resourceExhausted, .inputOutput, .resourceExhausted, .resourceExhausted,
            ])
    }

    @Test("are read up to a limit, and not at all beyond it")
    func limits() throws {
        try withFolder { folder in
            try write("four", folder + "/file")
            let whole = try Memory(reading: folder + "/file", limit: 4)
            #expect(whole.byteCount == 4)
            let error = #expect(throws: NativeError.self) {
                _ = try Memory(reading: folder + "/file", limit: 3)
            }
            #expect(error?.code == .limitExceeded)
            #expect(error?.message.hasSuffix("expected at most 3 bytes, found 4") == true)
        }
    }

    @Test("are made with those around them, and again without harm")
    func makesFolders() throws {
        try withFolder { folder in
            try createFolder(atPath: folder + "/a/b//c/")
            try createFolder(atPath: folder + "/a/b/c")
            #expect(FileKind(atPath: folder + "/a/b/c") == .folder)
        }
    }
}
