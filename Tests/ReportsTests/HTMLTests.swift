import Native
import Reports
import Testing

@Suite("HTML builder")
struct HTMLTests {
    @Test(
        "escapes what means something in HTML",
        arguments: [
            ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("a & b", "a &amp; b"), ("\"x\" 'y'", "&quot;x&quot; &#39;y&#39;"),
            ("bell\u{7}nul\u{0}", "bell\u{FFFD}nul\u{FFFD}"), ("日本 é 🐟", "日本 é 🐟"),
        ])
    func escapesText(text: String, expected: String) {
        #expect(HTML.text(text).markup == expected)
    }

    @Test("keeps an attribute's value inside its quotes")
    func escapesAttributes() {
        let image = HTML.element("img", ["alt": "\" onerror=\"alert(1)"])
        #expect(image.markup == "<img alt=\"&quot; onerror=&quot;alert(1)\">")
    }

    @Test("nests elements in order")
    func nests() {
        let list = HTML.element(
            "ul", ["class": "a"],
            [.element("li", text: "1"), .element("li", text: "2"), .group([.text("<")])])
        #expect(list.markup == "<ul class=\"a\"><li>1</li><li>2</li>&lt;</ul>")
    }

    @Test("allows a page neither scripts nor anything from elsewhere")
    func statesPolicy() {
        let page = HTML.page(title: "</title><script>", style: "body{margin:0}", body: [])
        #expect(page.hasPrefix("<!doctype html>\n<html lang=\"en\">"))
        #expect(page.contains("content=\"default-src &#39;none&#39;; img-src data:;"))
        #expect(page.contains("<title>&lt;/title&gt;&lt;script&gt;</title>"))
        #expect(page.contains("<style>body{margin:0}</style>"))
    }
}

@Suite("Base64")
struct Base64Tests {
    @Test(
        "gives the test vectors of RFC 4648, section 10",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
        ])
    func vectors(text: String, expected: String) {
        #expect(base64(Array(text.utf8).span) == expected)
    }

    @Test("uses all letters")
    func letters() {
        let bytes: [UInt8] = [0xFB, 0xEF, 0xBE, 0xFF, 0xFF, 0xFF]
        #expect(base64(bytes.span) == "++++////")
    }
}
