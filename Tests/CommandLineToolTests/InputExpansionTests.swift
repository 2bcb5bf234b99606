import CommandLineTool
import FoundationEssentials
import Native
import Testing

@Suite("Patterns")
struct GlobTests {
    @Test(
        "fit names as a shell does",
        arguments: [
            ("*.jpg", ["a.jpg"], true), ("*.jpg", ["a.png"], false), ("*.jpg", ["x", "a.jpg"], false),
            ("a?c", ["abc"], true), ("a?c", ["ac"], false), ("[a-c]x", ["bx"], true),
            ("[!a-c]x", ["bx"], false), ("[!a-c]x", ["dx"], true), ("[]]", ["]"], true),
            ("[a-]", ["-"], true), ("*", [".hidden"], false), (".*", [".hidden"], true),
            ("**/*.png", ["a.png"], true), ("**/*.png", ["x", "y", "a.png"], true),
            ("**/*.png", [".git", "a.png"], false), ("*/b*/**", ["x", "bc", "d", "e"], true),
            ("*/b*/**", ["x", "cc", "d"], false), ("a*b*c", ["aXbYbZc"], true),
            ("a*b*c", ["aXbY"], false), ("[", ["["], true), ("*é", ["Caf\u{E9}"], true),
        ])
    func matches(pattern: String, names: [String], expected: Bool) {
        #expect(Glob(pattern).matches(names) == expected)
    }

    @Test("take long runs of stars without a long time")
    func isLinear() {
        let pattern = String(repeating: "*a", count: 30) + "b"
        let name = String(repeating: "a", count: 2000)
        #expect(!Glob(pattern).matches([name]))
    }

    @Test("begin the search below the part without special letters")
    func findsRoot() {
        #expect(Glob("/data/photos/**/*.jpg").root == "/data/photos")
        #expect(Glob("photos/a*.jpg").root == "photos")
        #expect(Glob("*.jpg").root == "")
        #expect(Glob("/*/x").root == "/")
        #expect(Glob("a/*/b?").depth == 2)
        #expect(Glob("a/**/b").depth == nil)
    }
}

@Suite("Inputs")
struct InputExpansionTests {
    /// Makes a folder with some files, calls `body` with its path, and removes it.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = try TemporaryFolder()
        for path in ["b/2.JPG", "b/10.jpeg", "a.png", "c.txt", ".hidden.jpg", ".git/x.png", "d.webp"] {
            try folder.write("x", to: path)
        }
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/b/loop", withDestinationPath: folder.path)
        try FileManager.default.createSymbolicLink(
            atPath: folder.path + "/link.jpg", withDestinationPath: folder.path + "/a.png")
        try body(folder.path)
    }

    @Test("give a folder's pictures to its depths, sorted, without hidden ones and loops")
    func expandsFolders() throws {
        try withFolder { folder in
            let expected = ["a.png", "b/10.jpeg", "b/2.JPG", "d.webp", "link.jpg"]
            #expect(expandInputs([folder]).map(\.name) == expected.map { "\(folder)/\($0)" })
            #expect(expandInputs([folder + "/"]).map(\.name) == expected.map { "\(folder)/\($0)" })
            #expect(expandInputs([folder]).allSatisfy { $0.source == .file })
        }
    }

    @Test("give what fits a pattern, whatever its suffix")
    func expandsPatterns() throws {
        try withFolder { folder in
            let found = expandInputs(["\(folder)/*.txt", "\(folder)/**/*.j*g"]).map(\.name)
            #expect(
                found == ["c.txt", "b/10.jpeg", "link.jpg"].map { "\(folder)/\($0)" })
        }
    }

    @Test("take a name that exists for itself, though it looks like a pattern")
    func prefersNames() throws {
        let folder = try TemporaryFolder()
        try folder.write("x", to: "[1].jpg")
        try folder.write("x", to: "1.jpg")
        #expect(
            expandInputs(["\(folder.path)/[1].jpg"]).map(\.name) == ["\(folder.path)/[1].jpg"])
    }

    @Test("keep the order of the arguments, and tell addresses and the standard input")
    func keepsOrder() {
        let items = expandInputs(["-", "HTTPS://example.org/a.jpg", "http://example.org/b"])
        #expect(items.map(\.name) == ["-", "HTTPS://example.org/a.jpg", "http://example.org/b"])
        #expect(items.map(\.source) == [.standardInput, .url, .url])
    }

    @Test("name what is missing, in its place")
    func namesMissing() throws {
        let folder = try TemporaryFolder()
        let items = expandInputs(["/nowhere/x.jpg", "\(folder.path)/*.gif", folder.path])
        #expect(items.count == 3)
        #expect(items[0].source == .missing("no such file or folder"))
        #expect(items[1].source == .missing("no file fits this pattern"))
        guard case .missing(let reason) = items[2].source else {
            Issue.record("an empty folder is missing pictures")
            return
        }
        #expect(reason.hasPrefix("no picture in this folder"))
    }
}
