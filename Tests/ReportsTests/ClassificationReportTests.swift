import Images
import Reports
import Testing

@Suite("Classification report")
struct ClassificationReportTests {
    private func picture(_ value: UInt8) throws -> Image {
        try Image(width: 4, height: 4, pixels: [UInt8](repeating: value, count: 48))
    }

    private func report(name: String, label: String) throws -> String {
        var report = ClassificationReport(title: "What it sees")
        try report.add(
            ClassificationReport.Entry(
                name: name, size: (640, 480), picture: picture(10), map: picture(200),
                bars: [
                    .init(label: label, index: 7, probability: 0.8126),
                    .init(label: "rest", index: 8, probability: 0.1),
                ], milliseconds: 12.34))
        report.addFailure(name: name, reason: "is \(label)")
        return report.page(facts: [("weights", name)])
    }

    @Test("shows each photo with its size, its bars and its map")
    func showsEntries() throws {
        let page = try report(name: "fish/tench.jpg", label: "tench")
        #expect(page.contains("<h2 title=\"fish/tench.jpg\">tench.jpg</h2>"))
        #expect(page.contains("640 × 480 pixels, 12.3 ms"))
        #expect(page.contains("<span class=\"share\">81.3 %</span>"))
        #expect(page.contains("style=\"width:81.3%\""))
        #expect(page.components(of: "src=\"data:image/jpeg;base64,/9j/").count == 3)
        #expect(page.contains("alt=\"where tench is seen\""))
        #expect(page.contains("Not classified: 1"))
        #expect(page.contains("<dt>weights</dt><dd>fish/tench.jpg</dd>"))
    }

    @Test(
        "lets nothing in a name or a label become markup",
        arguments: [
            "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'onload='alert(1)",
            "</style><svg onload=alert(1)>",
        ])
    func escapes(text: String) throws {
        let page = try report(name: text, label: text)
        #expect(!page.contains(text))
        #expect(!page.lowercased().contains("<script"))
        #expect(!page.contains("<svg"))
        // The page's own pictures, and none besides.
        #expect(page.components(of: "<img ").count == 3)
    }

    @Test("loads nothing: every address in it is of its own pictures")
    func isSelfContained() throws {
        let page = try report(name: "a.jpg", label: "a")
        #expect(!page.contains("http:") && !page.contains("https:") && !page.contains("url("))
        #expect(page.components(of: " src=\"").count == page.components(of: " src=\"data:").count)
        #expect(!page.contains(" href="))
    }

    @Test("keeps a bar within its track, whatever the number")
    func clampsBars() throws {
        var report = ClassificationReport(title: "t")
        let bars = [1.5, -1, .nan, .infinity].enumerated().map { index, value in
            ClassificationReport.Bar(label: "x", index: index, probability: value)
        }
        try report.add(
            ClassificationReport.Entry(
                name: "n", size: (1, 1), picture: picture(0), bars: bars, milliseconds: .nan))
        let page = report.page(facts: [])
        #expect(page.components(of: "width:100.0%").count == 2)
        #expect(page.components(of: "width:0.0%").count == 4)
        #expect(page.contains("? ms"))
    }
}

extension String {
    /// The parts between the places where a text occurs.
    fileprivate func components(of text: String) -> [Substring] {
        split(separator: text, omittingEmptySubsequences: false)
    }
}
