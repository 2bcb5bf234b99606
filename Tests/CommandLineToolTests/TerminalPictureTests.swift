import CommandLineTool
import Images
import Testing

@Suite("Terminal picture")
struct TerminalPictureTests {
    @Test("shows two pixels a letter: the upper in the letter's colour, the lower behind it")
    func showsPixels() throws {
        let picture = try Image(
            width: 2, height: 3,
            pixels: [
                255, 0, 0, 0, 255, 0,
                0, 0, 255, 9, 8, 7,
                1, 2, 3, 4, 5, 6,
            ])
        #expect(
            terminalPicture(picture, columns: 2) == [
                "\u{1B}[38;2;255;0;0;48;2;0;0;255m▀\u{1B}[38;2;0;255;0;48;2;9;8;7m▀\u{1B}[0m",
                "\u{1B}[38;2;1;2;3;49m▀\u{1B}[38;2;4;5;6;49m▀\u{1B}[0m",
            ])
    }

    @Test("averages what a letter covers")
    func averages() throws {
        let picture = try Image(
            width: 4, height: 4,
            pixels: (0..<4).flatMap { row in
                (0..<4).flatMap { _ in [UInt8](repeating: UInt8(row * 10), count: 3) }
            })
        #expect(
            terminalPicture(picture, columns: 1) == ["\u{1B}[38;2;15;15;15;49m▀\u{1B}[0m"])
        #expect(terminalPicture(picture, columns: 2).count == 1)
    }

    @Test(
        "is for terminals that say they show 24-bit colours",
        arguments: [
            (["TERM": "xterm-256color", "COLORTERM": "truecolor"], true),
            (["TERM": "xterm-256color"], false), (["TERM": "xterm-direct"], true),
            (["TERM": "dumb", "COLORTERM": "truecolor"], false), (["COLORTERM": "24bit"], false),
            (["TERM": "xterm", "COLORTERM": "24bit", "NO_COLOR": "1"], false),
            (["TERM": "xterm", "COLORTERM": "24bit", "NO_COLOR": ""], true),
        ])
    func needsTerminal(variables: [String: String], expected: Bool) {
        #expect(
            TestConsole(isTerminal: true, variables: variables).console.showsPictures == expected)
        #expect(!TestConsole(isTerminal: false, variables: variables).console.showsPictures)
    }
}
