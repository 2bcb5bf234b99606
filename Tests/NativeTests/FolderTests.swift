import FoundationEssentials
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

    @Test("are made with those around them, and again without harm")
    func makesFolders() throws {
        try withFolder { folder in
            try createFolder(atPath: folder + "/a/b//c/")
            try createFolder(atPath: folder + "/a/b/c")
            #expect(FileKind(atPath: folder + "/a/b/c") == .folder)
        }
    }
}
