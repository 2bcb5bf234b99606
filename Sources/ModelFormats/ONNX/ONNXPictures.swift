/// How a model normalises pictures inside, in the words of a weight file's metadata.
struct ONNXPictures {
    /// `mean` and `std`, where the model normalises inside: what it does goes before what it says.
    let metadata: [String: String]
    /// Whether it normalises inside.
    let isInside: Bool

    /// Takes what pixels are multiplied by and what is added, for each channel, on their way to the first convolution.
    ///
    /// Pixels are numbers from 0 to 255 where a model takes them as they are. Numbers that the model says of itself, and
    /// that agree with its arithmetic in float32, are taken before those of the arithmetic.
    ///
    /// - Throws: `ModelFormatError` with code `.unsupported` for what pixels are not normalised by.
    init(
        scale: [Double], shift: [Double], said: [String: String], name file: String
    ) throws(ModelFormatError) {
        isInside = scale != [1, 1, 1] || shift != [0, 0, 0]
        guard isInside else {
            metadata = [:]
            return
        }
        let deviation = scale.map { 1 / (255 * $0) }
        let mean = zip(shift, deviation).map { -$0 * $1 }
        let deviationsMakeSense = deviation.allSatisfy { (0.99 / 255...1).contains($0) }
        guard deviationsMakeSense, mean.allSatisfy({ (-0.01...1.01).contains($0) }) else {
            throw ModelFormatError(
                .unsupported,
                "\(file): expected pixels to be normalised outside, or inside by a mean and a deviation, "
                    + "found a scale of \(scale) and a shift of \(shift)")
        }
        if let saidMean = said["mean"], let saidDeviation = said["std"],
            Self.agree(mean, Self.numbers(saidMean)),
            Self.agree(deviation, Self.numbers(saidDeviation))
        {
            metadata = ["mean": saidMean, "std": saidDeviation]
        } else if Self.agree(mean, [0.485, 0.456, 0.406]),
            Self.agree(deviation, [0.229, 0.224, 0.225])
        {
            metadata = ["mean": "0.485,0.456,0.406", "std": "0.229,0.224,0.225"]
        } else {
            metadata = ["mean": Self.text(mean), "std": Self.text(deviation)]
        }
    }

    /// Whether numbers are the same but for roundings to float32, and to the few places that people write.
    private static func agree(_ found: [Double], _ wanted: [Double]) -> Bool {
        found.count == wanted.count && zip(found, wanted).allSatisfy { abs($0 - $1) <= 1e-3 * $1 }
    }

    private static func text(_ numbers: [Double]) -> String {
        numbers.map { "\($0)" }.joined(separator: ",")
    }

    private static func numbers(_ text: String) -> [Double] {
        text.split { "[], ".contains($0) }.compactMap { Double($0) }
    }
}
