import ArgumentParser

/// The root of the command line.
struct ResNetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resnet",
        abstract:
            "ResNet-50 v1.5 and its relatives: train, classify pictures, look at models, measure speed.",
        discussion: """
            Results go to the standard output, everything else to the error stream.

            Exit status: 0 all went well, 64 wrong command line, 65 bad picture or model file, 66 input \
            missing, 69 device or server unavailable, 70 internal error or numbers that are not finite, \
            73 output cannot be created, 74 reading or writing failed, 75 stopped with a checkpoint, 130 Ctrl-C, 143 SIGTERM, 1 other.
            """,
        version: programVersion,
        subcommands: [
            DemoCommand.self, TrainCommand.self, EvalCommand.self, ClassifyCommand.self,
            RunsCommand.self, InspectCommand.self, ExportCommand.self, ImportCommand.self,
            BenchCommand.self, CompileCommand.self, DataCommand.self, WeightsCommand.self,
            DoctorCommand.self,
        ])
}
