import ArgumentParser
import Datasets

/// How every command reads labelled pictures where their files leave a choice.
struct ReadingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The first class's label in TFRecord files; ImageNet's count from 1.", valueName: "0|1")
    )
    var firstLabel = 1

    @Flag(help: "Let a list name files outside its folder.")
    var allowOutside = false

    mutating func validate() throws {
        try check(firstLabel, "--first-label", 0...1)
    }

    /// The choices, with the defaults of the rest.
    var options: DatasetOptions {
        DatasetOptions(allowsOutsidePaths: allowOutside, firstRecordLabel: firstLabel)
    }
}
