/// How often predictions of each confidence are right, as SVG: on the diagonal where confidence is honest.
///
/// Source: Guo et al. 2017, "On calibration of modern neural networks", figure 1.
package struct ReliabilityDiagram: Sendable {
    /// Predictions whose confidence lies in one range.
    package struct Bin: Sendable, Hashable {
        /// Where the range begins, 0 to 1.
        package var lower: Double
        /// Where it ends.
        package var upper: Double
        /// How many predictions there are.
        package var count: Int
        /// Their mean confidence.
        package var confidence: Double
        /// The share that is right.
        package var accuracy: Double

        /// Makes a bin.
        package init(
            lower: Double, upper: Double, count: Int, confidence: Double, accuracy: Double
        ) {
            self.lower = lower
            self.upper = upper
            self.count = count
            self.confidence = confidence
            self.accuracy = accuracy
        }
    }

    private let title: String
    private let bins: [Bin]

    /// Makes a diagram.
    package init(title: String, bins: [Bin]) {
        self.title = title
        self.bins = bins
    }

    /// The diagram with its caption and legend.
    package func figure() -> HTML {
        let axis = PlotAxis(covering: [0, 100])
        let frame = PlotFrame(width: 420, height: 300, xAxis: axis, yAxis: axis)
        let total = Double(max(1, bins.reduce(0) { $0 + $1.count }))
        var parts = [HTML.element("title", text: title)]
        parts += frame.grid(xLabel: "confidence, %", yUnit: " %")
        for bin in bins where bin.count > 0 {
            let share = percentText(Double(bin.count) / total)
            let label =
                "confidence \(percentText(bin.confidence)), right \(percentText(bin.accuracy)): "
                + "\(bin.count) pictures, \(share)"
            let (left, right) = (frame.x(bin.lower * 100), frame.x(bin.upper * 100))
            let gap = [bin.accuracy, bin.confidence].sorted().map { frame.y($0 * 100) }
            parts.append(
                Self.bar(
                    "bar c0", from: left, to: right, top: frame.y(bin.accuracy * 100),
                    bottom: frame.y(0), label))
            parts.append(
                Self.bar(
                    bin.confidence > bin.accuracy ? "gap" : "unsure", from: left, to: right,
                    top: gap[1], bottom: gap[0], label))
        }
        parts.append(
            .element(
                "path",
                [
                    "class": "diagonal",
                    "d": "M\(coordinate(frame.x(0))) \(coordinate(frame.y(0)))"
                        + "L\(coordinate(frame.x(100))) \(coordinate(frame.y(100)))",
                ]))
        let legend = [
            ("c0", "right"), ("gap-swatch", "less often than it is sure"),
            ("unsure-swatch", "more often"),
        ]
        return .element(
            "figure", ["class": "plot"],
            [
                .element("figcaption", text: title),
                .element(
                    "svg", ["viewBox": "0 0 420 300", "role": "img", "aria-label": title], parts),
                .element(
                    "ul", ["class": "legend"],
                    legend.map { style, name in
                        .element(
                            "li",
                            children: [
                                .element("i", ["class": "swatch \(style)"]), .text(name),
                            ])
                    }),
            ])
    }

    private static func bar(
        _ style: String, from left: Double, to right: Double, top: Double, bottom: Double,
        _ label: String
    ) -> HTML {
        .element(
            "rect",
            [
                "class": style, "x": coordinate(left + 0.5), "y": coordinate(top),
                "width": coordinate(max(0, right - left - 1)),
                "height": coordinate(max(0, bottom - top)),
            ], [.element("title", text: label)])
    }
}
