import Devices
import Images
package import Inference
import Native
import ResNetModel
import Tensors

/// An export whose weights were read back by our own readers and run by our own graph, beside the model that it was made of.
///
/// Where the export holds a program, the network is told from it, and its padding and its pictures' preparation where our
/// reader takes these from the program; but the program itself is not run.
package struct ExportVerification: Sendable {
    /// How many pictures were computed.
    package let pictureCount: Int
    /// The largest difference of a logit, over all pictures and classes.
    package let largestDifference: Double
    /// The largest magnitude of a logit of the model.
    package let largestLogit: Double
    /// The largest difference that the form allows.
    ///
    /// In float32 both networks have the same weights; folded ones are rounded once on either side. So there is no difference
    /// but that of sums in another order: 1e-5 of the largest logit, or of 1, is some eighty roundings of float32 and far
    /// below what a wrong weight does. In half precision each weight is rounded to 11 bits, a relative 5e-4, through as many
    /// as 152 layers: 2 % of the largest logit, or of 1.
    package let allowedDifference: Double
    /// On how many pictures both put the same class first.
    package let sameTopCount: Int
    /// How many of the network's tensors hold the same bits.
    package let identicalTensorCount: Int
    /// How many tensors the network has.
    package let tensorCount: Int

    /// Pictures that are computed unless said otherwise.
    package static let standardPictureCount = 8

    /// Compares a model with its export.
    ///
    /// The pictures are smooth patterns that a seed determines; both compute in float32 on the processor. Blocks.
    ///
    /// - Parameters:
    ///   - model: what was exported.
    ///   - path: the export, a file that our readers read.
    ///   - imageSize: pixels a side.
    ///   - isHalf: whether the export's weights are in half precision.
    ///   - pictureCount: how many pictures, at least 1.
    /// - Throws: what reading and computing throw; `ExportError` with code `.notRepresentable` where the export is read
    ///   as another network.
    package init(
        of model: LoadedModel, at path: String, imageSize: Int, isHalf: Bool = false,
        pictureCount: Int = ExportVerification.standardPictureCount
    ) throws {
        let copy = try LoadedModel(contentsOf: path)
        try Self.compare(copy.architecture, with: model.architecture, path)
        let device = try openDevice(.cpu, threads: nil)
        let batch = min(4, pictureCount)
        let runners = [model, copy].map {
            ModelRunner(model: $0, device: device, precision: .float32, imageSize: imageSize)
        }
        var largestDifference = 0.0
        var largestLogit = 0.0
        var sameTopCount = 0
        let classCount = model.architecture.classCount
        for start in stride(from: 0, to: pictureCount, by: batch) {
            let count = min(batch, pictureCount - start)
            let pictures = try (0..<count).map { try Self.picture(start + $0, side: imageSize) }
            let logits = try runners.map { runner in
                try runner.run(pictures, batch: batch, outputs: [.logits])[.logits] ?? []
            }
            for picture in 0..<count {
                let range = picture * classCount..<(picture + 1) * classCount
                let (ours, theirs) = (logits[0][range], logits[1][range])
                for (our, their) in zip(ours, theirs) {
                    let difference = Double(abs(our - their))
                    largestDifference =
                        difference.isNaN ? .infinity : max(largestDifference, difference)
                    largestLogit = max(largestLogit, Double(abs(our)))
                }
                if Self.top(ours) == Self.top(theirs) { sameTopCount += 1 }
            }
        }
        self.pictureCount = pictureCount
        self.largestDifference = largestDifference
        self.largestLogit = largestLogit
        allowedDifference = (isHalf ? 0.02 : 1e-5) * max(1, largestLogit)
        self.sameTopCount = sameTopCount
        let list = model.architecture.parameterList
        tensorCount = list.count
        identicalTensorCount = list.count { parameter in
            guard let one = model.parameters[parameter.name],
                let other = copy.parameters[parameter.name], one.elementType == other.elementType
            else { return false }
            return one.memory.array == other.memory.array
        }
    }

    /// What is wrong with the export; `nil` where it is as good as its form allows.
    package var problem: String? {
        guard !(largestDifference.isFinite && largestDifference <= allowedDifference) else {
            return nil
        }
        return "a logit differs by \(largestDifference); expected at most \(allowedDifference)"
    }

    private static func compare(
        _ found: ResNetArchitecture, with expected: ResNetArchitecture, _ path: String
    ) throws(ExportError) {
        var found = found
        // Both variants are the same network then, and no file names one.
        if !found.depth.hasBottlenecks { found.variant = expected.variant }
        guard found != expected else { return }
        let (read, written) = (found.metadata, expected.metadata)
        let differences = written.keys.sorted().filter { read[$0] != written[$0] }.map { key in
            "\(key) \(written[key] ?? "none") and \(read[key] ?? "none")"
        }
        throw ExportError(
            .notRepresentable,
            "\(path): expected \(expected.name) with \(expected.classCount) classes, read "
                + "\(found.name) with \(found.classCount)"
                + (differences.isEmpty
                    ? "" : "; they differ in " + differences.joined(separator: ", ")))
    }

    /// A picture of soft patches, as photos have them.
    private static func picture(_ number: Int, side: Int) throws -> Image {
        var random = RandomGenerator(seed: UInt64(number), stream: 17)
        let cells = 8
        let corners = (0..<(cells + 1) * (cells + 1) * 3).map { _ in
            Double(UInt8(truncatingIfNeeded: random.next()))
        }
        var pixels: [UInt8] = []
        pixels.reserveCapacity(side * side * 3)
        for y in 0..<side {
            let row = Double(y * cells) / Double(side)
            let top = Int(row)
            for x in 0..<side {
                let column = Double(x * cells) / Double(side)
                let left = Int(column)
                for channel in 0..<3 {
                    func corner(_ i: Int, _ j: Int) -> Double {
                        corners[((top + i) * (cells + 1) + left + j) * 3 + channel]
                    }
                    let (down, across) = (row - Double(top), column - Double(left))
                    let upper = corner(0, 0) * (1 - across) + corner(0, 1) * across
                    let lower = corner(1, 0) * (1 - across) + corner(1, 1) * across
                    pixels.append(UInt8(upper * (1 - down) + lower * down))
                }
            }
        }
        return try Image(width: side, height: side, pixels: pixels)
    }

    private static func top(_ logits: ArraySlice<Float>) -> Int? {
        logits.indices.max { logits[$0] < logits[$1] }.map { $0 - logits.startIndex }
    }
}
