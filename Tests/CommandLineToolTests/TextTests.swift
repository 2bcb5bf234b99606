import CommandLineTool
import FoundationEssentials
import Testing

@Suite("JSON writer")
struct JSONValueTests {
    @Test("keeps the order of keys and leaves out what has no value")
    func keepsOrder() {
        let value = JSONValue.members(["z": 1, "a": "x", "n": nil, "m": .null, "b": true])
        #expect(value.compact == #"{"z":1,"a":"x","m":null,"b":true}"#)
    }

    @Test("indents objects and arrays, and writes empty ones short")
    func indents() {
        let value = JSONValue.members(["a": .array([1, .array([])]), "b": .object([])])
        #expect(value.pretty == "{\n  \"a\": [\n    1,\n    []\n  ],\n  \"b\": {}\n}")
    }

    @Test(
        "writes numbers short and finite",
        arguments: [
            (0.25, "0.25"), (1, "1"), (-0.0, "0"), (1e-7, "1e-07"), (Double.nan, "null"),
            (.infinity, "null"), (123_456_789_012, "123456789012"),
        ])
    func writesNumbers(value: Double, expected: String) {
        #expect(JSONValue.number(value).compact == expected)
    }

    @Test("rounds to so many places")
    func rounds() {
        #expect(JSONValue.rounded(0.912_345_678, places: 6).compact == "0.912346")
        #expect(JSONValue.rounded(2.0 / 3, places: 2).compact == "0.67")
        #expect(JSONValue.rounded(1e300, places: 6).compact == "1e+300")
    }

    @Test(
        "is read back as what was written",
        arguments: [
            "plain", "quote \" backslash \\ slash /", "tab\tline\nreturn\r", "nul \u{0} del \u{7F}",
            "é 日本 🐟", "\u{2028}\u{2029}", "",
        ])
    func roundTrips(text: String) throws {
        let written = JSONValue.members([text: .array([.string(text)])]).compact
        let read = try JSONDecoder().decode([String: [String]].self, from: Data(written.utf8))
        #expect(read == [text: [text]])
        #expect(written.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
    }
}

@Suite("Table")
struct TableTests {
    private var table: Table {
        var table = Table(["name": .left, "count": .right])
        table.add(["a", "1"])
        table.add(["日本", "12,345"])
        return table
    }

    @Test("aligns columns, counting wide letters twice, without blanks at the ends of lines")
    func aligns() {
        #expect(table.text == "name   count\na          1\n日本  12,345\n")
    }

    @Test(
        "quotes a field of CSV where it must",
        arguments: [
            (["a", "b"], "a,b\n"), (["a,b", "c"], "\"a,b\",c\n"),
            (["say \"x\""], "\"say \"\"x\"\"\"\n"), (["\"", ""], "\"\"\"\",\n"),
            (["line\nbreak", "cr\r"], "\"line\nbreak\",\"cr\r\"\n"), (["a\r\nb"], "\"a\r\nb\"\n"),
        ])
    func quotes(fields: [String], expected: String) {
        #expect(csvLine(fields) == expected)
    }

    @Test("writes CSV with the header")
    func writesCSV() {
        #expect(table.csv == "name,count\na,1\n日本,\"12,345\"\n")
    }

    @Test("makes letters visible that could drive a terminal")
    func showsControls() {
        #expect(printable("a\u{1B}[31mb\u{7}\u{202E}é") == "a\\u{1b}[31mb\\u{7}\\u{202e}é")
    }
}

@Suite("Texts of numbers")
struct NumberTextTests {
    @Test(
        "have as many places as asked for",
        arguments: [
            (12.5, 2, "12.50"), (0.999, 1, "1.0"), (-0.05, 1, "-0.1"), (3, 0, "3"),
            (-0.001, 1, "0.0"),
            (1e20, 2, "1e+20"), (.nan, 1, "nan"), (-.infinity, 1, "-inf"), (0.007, 3, "0.007"),
        ])
    func fixedPlaces(value: Double, places: Int, expected: String) {
        #expect(fixed(value, places: places) == expected)
    }

    @Test(
        "group digits by three",
        arguments: [
            (0, "0"), (999, "999"), (1000, "1,000"), (25_557_032, "25,557,032"), (-1234, "-1,234"),
        ])
    func groups(value: Int, expected: String) {
        #expect(grouped(value) == expected)
    }

    @Test(
        "name bytes in the unit that suits",
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (102_541_995, "97.8 MiB"),
            (1 << 30, "1.0 GiB"), (.max, "8388608.0 TiB"), ((1 << 20) - 1, "1.0 MiB"),
        ])
    func bytes(value: Int, expected: String) {
        #expect(byteText(value) == expected)
    }
}
