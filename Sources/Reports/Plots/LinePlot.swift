/// Curves over a common axis, as SVG with a caption and a legend.
///
/// It needs no script: points tell their numbers where a pointer rests on them.
package struct LinePlot: Sendable {
    /// A place of a curve.
    package struct Point: Sendable, Hashable {
        /// Along the axis.
        package var x: Double
        /// The value; one that is not finite leaves a gap.
        package var y: Double

        /// Makes a point.
        package init(x: Double, y: Double) {
            self.x = x
            self.y = y
        }
    }

    /// A curve.
    package struct Series: Sendable, Hashable {
        /// What the legend calls it.
        package var name: String
        /// Its points, from left to right.
        package var points: [Point]
        /// Which of the eight colours it has; further ones begin anew.
        package var color: Int
        /// Whether each point is marked, for curves of few.
        package var isMarked: Bool
        /// Whether the line is broken, for what is compared with.
        package var isDashed: Bool

        /// Makes a curve.
        package init(
            name: String, points: [Point], color: Int = 0, isMarked: Bool = false,
            isDashed: Bool = false
        ) {
            self.name = name
            self.points = points
            self.color = color
            self.isMarked = isMarked
            self.isDashed = isDashed
        }
    }

    private static let width = 420.0
    private static let height = 240.0
    /// Points drawn of a curve at most: about one a pixel of the plot.
    private static let resolution = 360

    /// What it shows.
    package let title: String
    /// What the horizontal axis counts.
    package let xLabel: String
    /// The curves; those without points are left out.
    package let series: [Series]
    /// Whether values begin at 0.
    package let startsAtZero: Bool
    /// Whether values are shares, named in percent.
    package let isShare: Bool

    /// Makes a plot.
    package init(
        title: String, xLabel: String, series: [Series], startsAtZero: Bool = false,
        isShare: Bool = false
    ) {
        self.title = title
        self.xLabel = xLabel
        self.series = series.filter { !$0.points.isEmpty }
        self.startsAtZero = startsAtZero
        self.isShare = isShare
    }

    /// The plot with its caption and legend.
    package func figure() -> HTML {
        var parts = [HTML.element("figcaption", text: title), svg()]
        if series.count > 1 {
            parts.append(
                .element(
                    "ul", ["class": "legend"],
                    series.map { series in
                        .element(
                            "li",
                            children: [
                                .element("i", ["class": "swatch c\(series.color % 8)"]),
                                .text(series.name),
                            ])
                    }))
        }
        return .element("figure", ["class": "plot"], parts)
    }

    private func svg() -> HTML {
        let drawn = series.map { Self.thinned($0.points) }
        let scale = isShare ? 100.0 : 1
        let xAxis = PlotAxis(covering: drawn.flatMap { $0.map { $0.x } })
        let yAxis = PlotAxis(
            covering: drawn.flatMap { $0.map { $0.y * scale } }, startsAtZero: startsAtZero)
        let frame = PlotFrame(width: Self.width, height: Self.height, xAxis: xAxis, yAxis: yAxis)
        var parts = [HTML.element("title", text: title)]
        parts += frame.grid(xLabel: xLabel, yUnit: isShare ? " %" : "")
        for (series, points) in zip(series, drawn) {
            let places = points.map { point in
                Point(x: frame.x(point.x), y: frame.y(point.y * scale))
            }
            let dashes = series.isDashed ? " dashed" : ""
            parts.append(
                .element(
                    "path", ["class": "line c\(series.color % 8)\(dashes)", "d": Self.path(places)]
                ))
            guard series.isMarked || points.count == 1 else { continue }
            for (point, place) in zip(points, places) where place.y.isFinite {
                let value = decimalText(point.y * scale, places: isShare ? 2 : 4)
                let isWhole = point.x == point.x.rounded()
                let x = decimalText(point.x, places: isWhole ? 0 : 2)
                parts.append(
                    .element(
                        "circle",
                        [
                            "class": "mark c\(series.color % 8)", "cx": coordinate(place.x),
                            "cy": coordinate(place.y), "r": "2.6",
                        ],
                        [
                            .element(
                                "title",
                                text:
                                    "\(series.name), \(xLabel) \(x): \(value)\(isShare ? " %" : "")"
                            )
                        ]))
            }
        }
        return .element(
            "svg",
            [
                "viewBox": "0 0 \(Int(Self.width)) \(Int(Self.height))", "role": "img",
                "aria-label": title,
            ], parts)
    }

    /// At most as many points as can be told apart: means of neighbours.
    private static func thinned(_ points: [Point]) -> [Point] {
        guard points.count > resolution else { return points }
        return (0..<resolution).map { index in
            let start = index * points.count / resolution
            let part = points[start..<(index + 1) * points.count / resolution]
            let finite = part.filter { $0.y.isFinite }
            let middle = part[part.startIndex + part.count / 2].x
            let sum = finite.reduce(0) { $0 + $1.y }
            return Point(x: middle, y: finite.isEmpty ? .nan : sum / Double(finite.count))
        }
    }

    /// A path through the points, with gaps where a value is missing.
    private static func path(_ places: [Point]) -> String {
        var path = ""
        var isDown = false
        for place in places {
            guard place.x.isFinite, place.y.isFinite else {
                isDown = false
                continue
            }
            path += "\(isDown ? "L" : "M")\(coordinate(place.x)) \(coordinate(place.y))"
            isDown = true
        }
        return path
    }
}

/// A coordinate to a tenth of a unit.
func coordinate(_ value: Double) -> String { decimalText(value, places: 1) }
