/// The ground of a plot: where values stand, and lines at those that are named.
struct PlotFrame {
    private let left: Double
    private let right: Double
    private let top = 8.0
    private let bottom: Double
    private let xAxis: PlotAxis
    private let yAxis: PlotAxis

    init(width: Double, height: Double, xAxis: PlotAxis, yAxis: PlotAxis) {
        left = 46
        right = width - 14
        bottom = height - 34
        self.xAxis = xAxis
        self.yAxis = yAxis
    }

    /// The coordinate of a value along the horizontal axis.
    func x(_ value: Double) -> Double { xAxis.place(value, from: left, to: right) }

    /// The coordinate of a value along the vertical axis.
    func y(_ value: Double) -> Double { yAxis.place(value, from: bottom, to: top) }

    /// Lines and names.
    func grid(xLabel: String, yUnit: String = "") -> [HTML] {
        var parts: [HTML] = []
        for tick in yAxis.ticks {
            let place = coordinate(y(tick))
            parts.append(line(coordinate(left), place, coordinate(right), place))
            parts.append(
                text(yAxis.name(tick) + yUnit, x: coordinate(left - 5), y: place, "end", "0.33em"))
        }
        for tick in xAxis.ticks {
            parts.append(
                text(
                    xAxis.name(tick), x: coordinate(x(tick)), y: coordinate(bottom), "middle",
                    "1.25em"))
        }
        parts.append(
            text(
                xLabel, x: coordinate((left + right) / 2), y: coordinate(bottom), "middle",
                "2.6em"))
        return parts
    }

    private func line(_ x1: String, _ y1: String, _ x2: String, _ y2: String) -> HTML {
        .element("line", ["class": "grid", "x1": x1, "y1": y1, "x2": x2, "y2": y2])
    }

    private func text(
        _ text: String, x: String, y: String, _ anchor: String, _ shift: String
    ) -> HTML {
        .element(
            "text", ["x": x, "y": y, "dy": shift, "text-anchor": anchor], text: text)
    }
}
