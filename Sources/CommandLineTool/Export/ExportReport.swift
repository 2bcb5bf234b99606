import Exports
import Inference
import Native
import ResNetModel

/// What `resnet export` and `resnet import` print.
struct ExportReport {
    let format: String
    let model: LoadedModel
    let exported: ExportedModel
    let verification: ExportVerification?

    var text: String {
        let architecture = model.architecture
        var text =
            "\(architecture.name), \(grouped(architecture.classCount)) classes, from "
            + "\(printable(model.name)) as \(format)\n"
        for file in exported.files {
            let size = FileSystem.byteCount(of: file).map { "  \(byteText($0))" } ?? ""
            text += "\(printable(file))\(size)\n"
        }
        for note in model.notes + exported.notes { text += "note: \(printable(note))\n" }
        guard let verification else { return text }
        return text + """
            weights read back, run on \(verification.pictureCount) pictures: largest difference of a logit \
            \(Float(verification.largestDifference)) (allowed: \(fixed(verification.allowedDifference, places: 6))), \
            of logits up to \
            \(fixed(verification.largestLogit, places: 2)); same first class on \
            \(verification.sameTopCount); \(verification.identicalTensorCount) of \
            \(verification.tensorCount) tensors bit for bit

            """
    }

    var json: JSONValue {
        .members([
            "format": .string(format), "source": .string(model.name),
            "depth": .integer(model.architecture.depth.rawValue),
            "variant": .string(model.architecture.variant.rawValue),
            "classes": .integer(model.architecture.classCount),
            "files": .array(
                exported.files.map { file in
                    .members([
                        "path": .string(file),
                        "bytes": FileSystem.byteCount(of: file).map { .integer($0) },
                    ])
                }),
            "notes": .array((model.notes + exported.notes).map { .string($0) }),
            "verification": verification.map { verification in
                .members([
                    "pictures": .integer(verification.pictureCount),
                    "largest_difference": .number(verification.largestDifference),
                    "allowed_difference": .number(verification.allowedDifference),
                    "largest_logit": .number(verification.largestLogit),
                    "same_top1": .integer(verification.sameTopCount),
                    "identical_tensors": .integer(verification.identicalTensorCount),
                    "tensors": .integer(verification.tensorCount),
                ])
            },
        ])
    }
}
