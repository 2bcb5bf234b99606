import Reports
import TestSupport
import Testing

@Suite("Plots")
struct PlotTests {
    private func points(_ values: [Double]) -> [LinePlot.Point] {
        values.enumerated().map { LinePlot.Point(x: Double($0.offset), y: $0.element) }
    }

    private func markup(_ figure: HTML) -> Markup { Markup(figure.markup) }

    @Test("draw each curve once, and name it where there are several")
    func curves() {
        let plot = LinePlot(
            title: "Loss", xLabel: "step",
            series: [
                .init(name: "training", points: points([4, 2, 1])),
                .init(name: "validation", points: points([3, 2, 2.5]), color: 1, isMarked: true),
                .init(name: "nothing", points: []),
            ])
        let figure = plot.figure()
        let read = markup(figure)
        #expect(read.problems == [])
        #expect(read.counts["path"] == 2)
        #expect(read.counts["circle"] == 3)
        #expect(read.text.contains("training") && read.text.contains("validation"))
        #expect(!read.text.contains("nothing"))
        #expect(figure.markup.contains("validation, step 1: 2.0000"))
    }

    @Test("name round values that cover the curve")
    func ticks() {
        let figure = LinePlot(
            title: "t", xLabel: "step", series: [.init(name: "a", points: points([0.13, 0.97]))],
            isShare: true
        ).figure()
        let text = markup(figure).text
        for tick in ["0 %", "20 %", "100 %"] { #expect(text.contains(tick)) }
    }

    @Test(
        "survive any number",
        arguments: [
            [Double.nan], [.infinity, -.infinity], [0, 0, 0], [1e300, -1e300], [5], [1e-300, 0],
            [1, .nan, 2, .infinity, 3], [-3, -3.000_000_000_1], [1e18, 1e18 + 1e3],
        ] as [[Double]])
    func anyNumber(values: [Double]) {
        let figure = LinePlot(
            title: "t", xLabel: "x", series: [.init(name: "a", points: points(values))],
            startsAtZero: true
        ).figure()
        let read = markup(figure)
        #expect(read.problems == [])
        for word in ["nan", "inf", "?"] { #expect(!figure.markup.contains("\(word) ")) }
    }

    @Test("leave gaps where values are missing")
    func gaps() {
        let figure = LinePlot(
            title: "t", xLabel: "x",
            series: [.init(name: "a", points: points([1, 2, .nan, 3, 4]))]
        ).figure()
        let path = figure.markup.split(separator: "d=\"").dropFirst().first ?? ""
        let moves = path.prefix { $0 != "\"" }.filter { $0 == "M" }.count
        #expect(moves == 2)
    }

    @Test("thin long curves to what can be seen, keeping their level")
    func thins() {
        let figure = LinePlot(
            title: "t", xLabel: "x",
            series: [
                .init(name: "a", points: points((0..<100_000).map { $0.isMultiple(of: 2) ? 0 : 2 }))
            ]
        ).figure()
        #expect(figure.markup.utf8.count < 20_000)
    }

    @Test("show what was taken for what, with every name whole where a pointer rests")
    func heatMap() {
        let names = ["cat, tabby", "a dog of a very long name indeed", "<b>"]
        let figure = HeatMap(
            title: "confusion", names: names, counts: [[5, 1, 0], [0, 7, 0], [2, 0, 0]],
            rowTotals: [6, 7, 2]
        ).figure()
        let read = markup(figure)
        #expect(read.problems == [])
        #expect(read.counts["rect"] == 9)
        #expect(
            read.text.contains(
                "cat, tabby taken for a dog of a very long name indeed: 1, 16.7 %"))
        #expect(read.text.contains("a dog of a very"))
        #expect(!figure.markup.contains("<b>"))
    }

    @Test("show bins where there are predictions")
    func reliability() {
        let bins = (0..<15).map { index in
            ReliabilityDiagram.Bin(
                lower: Double(index) / 15, upper: Double(index + 1) / 15, count: index % 2,
                confidence: (Double(index) + 0.5) / 15, accuracy: 0.5)
        }
        let figure = ReliabilityDiagram(title: "r", bins: bins).figure()
        let read = markup(figure)
        #expect(read.problems == [])
        // A bar and its gap for each of the seven bins that hold one.
        #expect(read.counts["rect"] == 14)
    }

    @Test(
        "write numbers with their places",
        arguments: [
            (0.05, 1, "0.1"), (-0.04, 1, "0.0"), (-1.25, 2, "-1.25"), (12, 0, "12"),
            (0.001, 2, "0.00"), (99.995, 2, "100.00"), (.nan, 2, "?"), (7, 3, "7.000"),
        ] as [(Double, Int, String)])
    func decimals(value: Double, places: Int, expected: String) {
        #expect(decimalText(value, places: places) == expected)
    }

    @Test(
        "say a time as people do",
        arguments: [
            (0.4, "0 s"), (42, "42 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"),
            (7800, "2 h 10 min"), (.infinity, "?"), (-1, "?"),
        ])
    func durations(seconds: Double, expected: String) {
        #expect(durationText(seconds: seconds) == expected)
    }
}
