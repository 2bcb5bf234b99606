import Native
import Testing

@Suite("Parts of a path")
struct PathPartsTests {
    @Test(
        "are its folder and its name",
        arguments: [
            ("a", ".", "a"), ("a/b", "a", "b"), ("/a", "/", "a"), ("/a/b", "/a", "b"),
            ("a/", "a", ""), ("", ".", ""), ("./a.index", ".", "a.index"), ("../a", "..", "a"),
        ])
    func parts(path: String, folder: String, name: String) {
        let found = PathParts(path)
        #expect(found.folder == folder)
        #expect(found.name == name)
    }

    @Test("are split at a slash that the next character combines with")
    func combining() {
        let found = PathParts("folder/\u{301}name")
        #expect(found.folder == "folder")
        let bytes = Array(found.name.utf8)
        #expect(bytes == [0xCC, 0x81] + Array("name".utf8))
    }
}
