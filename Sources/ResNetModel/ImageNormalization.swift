/// The numbers that images are normalised with, red first: `(x / 255 - mean) / deviation` of a pixel `x`.
public struct ImageNormalization: Sendable, Hashable {
    /// The mean of each of the three channels, of the range 0 to 1.
    public let mean: [Double]
    /// What each of the three channels is divided by, of the range 0 to 1.
    public let deviation: [Double]

    /// Takes the numbers of three channels; `nil` unless they are of pixels from 0 to 1.
    ///
    /// Means may be from -1 to 2, deviations from 0.001, below the 1/255 that leaves pixels as they are, to 2. Numbers of
    /// pixels from 0 to 255 would make all pictures look alike.
    public init?(mean: [Double], deviation: [Double]) {
        guard Self.areMeans(mean), Self.areDeviations(deviation) else { return nil }
        self.init(trusted: mean, deviation)
    }

    private static func areMeans(_ numbers: [Double]) -> Bool {
        numbers.count == 3 && numbers.allSatisfy { (-1...2).contains($0) }
    }

    private static func areDeviations(_ numbers: [Double]) -> Bool {
        numbers.count == 3 && numbers.allSatisfy { (1e-3...2).contains($0) }
    }

    private init(trusted mean: [Double], _ deviation: [Double]) {
        self.mean = mean
        self.deviation = deviation
    }

    /// NVIDIA's for PyTorch, and torchvision's.
    public static let imageNet = ImageNormalization(
        trusted: [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])

    /// Reads what a file says of itself under `mean` and `std`, each three numbers between commas, with or without
    /// brackets; the usual numbers stand for one that is not there or makes no sense.
    public init(metadata: [String: String]) {
        let mean = Self.numbers(metadata[Key.mean])
        let deviation = Self.numbers(metadata[Key.deviation])
        self.init(
            trusted: mean.flatMap { Self.areMeans($0) ? $0 : nil } ?? Self.imageNet.mean,
            deviation.flatMap { Self.areDeviations($0) ? $0 : nil } ?? Self.imageNet.deviation)
    }

    /// What a file says of itself, as `init(metadata:)` reads it.
    public var metadata: [String: String] {
        [Key.mean: Self.text(mean), Key.deviation: Self.text(deviation)]
    }

    /// The keys of `metadata` under which there is something that makes no sense.
    package static func unreadableKeys(_ metadata: [String: String]) -> [String] {
        var keys: [String] = []
        if let text = metadata[Key.mean], !(numbers(text).map(areMeans) ?? false) {
            keys.append(Key.mean)
        }
        if let text = metadata[Key.deviation], !(numbers(text).map(areDeviations) ?? false) {
            keys.append(Key.deviation)
        }
        return keys
    }

    private enum Key {
        static let mean = "mean"
        static let deviation = "std"
    }

    private static func numbers(_ text: String?) -> [Double]? {
        guard let text else { return nil }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in
            Double(part.drop { $0 == " " || $0 == "[" }.prefix { $0 != " " && $0 != "]" })
        }
        return parts.count == 3 && numbers.count == 3 ? numbers : nil
    }

    private static func text(_ numbers: [Double]) -> String {
        numbers.map { "\($0)" }.joined(separator: ",")
    }
}
