import ArgumentParser
import Images
import Inference
import ModelFormats

/// What commands that look at pictures let the user say in place of the weight file.
struct PictureOptions: ParsableArguments {
    @Option(
        help: "Pixels that the short side is scaled to (default: what the weights say, or 256).")
    var resize: Int?

    @Option(
        help:
            "Pixels a side of the middle that is looked at (default: what the weights say, or 224)."
    )
    var crop: Int?

    @Option(
        help: ArgumentHelp(
            "Names of the network's classes: one a line, or JSON (default: those in the weight file, or "
                + "ImageNet's).", valueName: "file"))
    var labels: String?

    @Flag(help: "Take a checkpoint's moving average of the weights.")
    var ema = false

    mutating func validate() throws {
        try check(resize, "--resize", 1...4096)
        try check(crop, "--crop", 1...4096)
    }

    /// Which of a checkpoint's weights are taken.
    var selection: WeightFile.Selection { ema ? .ema : .default }

    /// The names in the file that the user gave; `nil` without one.
    func classNames() throws -> ClassNames? { try labels.map(ClassNames.init(contentsOf:)) }

    /// How a picture becomes the network's input.
    ///
    /// - Parameters:
    ///   - model: the network.
    ///   - text: the path or the name that it was loaded by.
    func transform(for model: LoadedModel, named text: String) throws -> EvaluationTransform {
        try evaluationTransform(for: model, named: text, resize: resize, crop: crop)
    }
}
