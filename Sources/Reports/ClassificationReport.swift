public import Images
import Native

/// A self-contained page that shows each photo with what was seen in it.
///
/// It holds its style and its pictures, loads nothing and runs no script.
public struct ClassificationReport: Sendable {
    /// One of the classes found likely.
    public struct Bar: Sendable, Hashable {
        /// The class's name.
        public var label: String
        /// The class's index.
        public var index: Int
        /// How likely, 0 to 1.
        public var probability: Double

        /// Makes a bar.
        public init(label: String, index: Int, probability: Double) {
            self.label = label
            self.index = index
            self.probability = probability
        }
    }

    /// One photo.
    public struct Entry: Sendable {
        /// What the user calls it.
        public var name: String
        /// Its width and height in pixels.
        public var size: (width: Int, height: Int)
        /// What the model was shown.
        public var picture: Image
        /// The picture with the activation map over it, if wanted.
        public var map: Image?
        /// The likely classes, the likeliest first.
        public var bars: [Bar]
        /// The time that it took.
        public var milliseconds: Double

        /// Makes an entry.
        public init(
            name: String, size: (width: Int, height: Int), picture: Image, map: Image? = nil,
            bars: [Bar], milliseconds: Double
        ) {
            self.name = name
            self.size = size
            self.picture = picture
            self.map = map
            self.bars = bars
            self.milliseconds = milliseconds
        }
    }

    private let title: String
    private var cards: [HTML] = []
    private var failures: [HTML] = []

    /// Starts a report.
    public init(title: String) { self.title = title }

    /// Adds a photo.
    ///
    /// - Throws: `ImageError` where a picture cannot be encoded.
    public mutating func add(_ entry: Entry) throws(ImageError) {
        var pictures = [try Self.picture(entry.picture, alternative: entry.name)]
        if let map = entry.map {
            let label = entry.bars.first?.label ?? "the first class"
            pictures.append(try Self.picture(map, alternative: "where \(label) is seen"))
        }
        let size = "\(entry.size.width) × \(entry.size.height)"
        cards.append(
            .element(
                "article", [:],
                [
                    .element("div", ["class": "pictures"], pictures),
                    .element("h2", ["title": entry.name], text: Self.lastPart(entry.name)),
                    .element(
                        "p", ["class": "facts"],
                        text: "\(size) pixels, \(decimalText(entry.milliseconds, places: 1)) ms"),
                    .element("ol", [:], entry.bars.map(Self.bar)),
                ]))
    }

    /// Adds a photo that could not be read, with the reason.
    public mutating func addFailure(name: String, reason: String) {
        failures.append(
            .element("li", [:], [.element("b", [:], text: name), .text(" " + reason)]))
    }

    /// The page.
    ///
    /// - Parameter facts: what it says about the run, such as the model and the time, each with its name.
    public func page(facts: [(name: String, value: String)]) -> String {
        var body: [HTML] = [
            .element(
                "header", [:],
                [
                    .element("h1", [:], text: title),
                    .element(
                        "dl", [:],
                        facts.map { fact in
                            .element(
                                "div", [:],
                                [
                                    .element("dt", [:], text: fact.name),
                                    .element("dd", [:], text: fact.value),
                                ])
                        }),
                ])
        ]
        if !failures.isEmpty {
            body.append(
                .element(
                    "section", ["class": "failures"],
                    [
                        .element("h2", [:], text: "Not classified: \(failures.count)"),
                        .element("ul", [:], failures),
                    ]))
        }
        body.append(.element("main", [:], cards))
        return HTML.page(title: title, style: reportStyle, body: body)
    }

    /// What a file is called in its folder; addresses and texts without folders stay as they are.
    private static func lastPart(_ name: String) -> String {
        name.contains("://") ? name : name.split(separator: "/").last.map(String.init) ?? name
    }

    private static func bar(_ bar: Bar) -> HTML {
        let share = max(0, min(1, bar.probability.isFinite ? bar.probability : 0))
        let percent = decimalText(share * 100, places: 1)
        return .element(
            "li", [:],
            [
                .element(
                    "span", ["class": "label", "title": "class \(bar.index)"], text: bar.label),
                .element("span", ["class": "share"], text: "\(percent) %"),
                .element(
                    "span", ["class": "track"],
                    [.element("span", ["class": "bar", "style": "width:\(percent)%"])]),
            ])
    }

    private static func picture(
        _ image: Image, alternative: String
    ) throws(ImageError) -> HTML {
        let jpeg = try encodeJPEG(image, quality: 85)
        return .element(
            "img",
            [
                "src": "data:image/jpeg;base64,\(base64(jpeg.bytes))", "alt": alternative,
                "width": "\(image.width)", "height": "\(image.height)", "loading": "lazy",
            ])
    }
}
