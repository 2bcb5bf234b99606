import Datasets
import Execution
import Exports
import Graph
import Images
import Inference
import ModelFormats
package import Native
import Pretrained
import ResNetModel
import Runs
import Tensors
import Training

/// What the program says to the one that started it; the numbers of `sysexits.h`.
package enum ExitStatus: Int32, Sendable, CaseIterable {
    /// All went well.
    case success = 0
    /// Another failure.
    case failure = 1
    /// The command line is wrong.
    case usage = 64
    /// A picture or a model file is damaged or of another kind.
    case badData = 65
    /// An input does not exist.
    case inputMissing = 66
    /// A device, or a server, cannot be had.
    case unavailable = 69
    /// A mistake of this program, or numbers that are not finite.
    case internalError = 70
    /// A result's file cannot be created.
    case cannotCreate = 73
    /// Reading or writing failed.
    case inputOutput = 74
    /// Stopped with a checkpoint; the same command goes on.
    case stopped = 75
    /// Stopped by Ctrl-C.
    case interrupted = 130
    /// Stopped by SIGTERM.
    case terminated = 143

    /// The status for an error of any module.
    package init(_ error: any Error) {
        self =
            switch error {
            case let error as CommandError: error.status
            case let error as NativeError: Self(error.code)
            case let error as TensorError: Self(error.code)
            case let error as GraphError: Self(error.code)
            case let error as ExecutionError: Self(error.code)
            case let error as ModelError: Self(error.code)
            case let error as ModelFormatError: Self(error.code)
            case let error as ImageError: Self(error.code)
            case let error as PretrainedError: Self(error.code)
            case let error as InferenceError: Self(error.code)
            case let error as TrainingError: Self(error.code)
            case let error as DatasetError: Self(error.code)
            case let error as RunError: Self(error.code)
            case let error as ExportError: Self(error.code)
            case is CancellationError: .interrupted
            default: .failure
            }
    }

    private init(_ code: NativeError.Code) {
        self =
            switch code {
            case .notFound: .inputMissing
            case .inputOutput: .inputOutput
            case .resourceExhausted: .failure
            case .malformed, .limitExceeded, .unsupported, .addressRefused: .badData
            case .invalidArgument, .libraryFailure: .internalError
            case .networkFailure, .timedOut: .unavailable
            case .cancelled: .interrupted
            }
    }

    private init(_ code: TensorError.Code) {
        self =
            switch code {
            case .invalidShape, .sizeMismatch, .unsupportedElementType: .badData
            }
    }

    private init(_ code: GraphError.Code) {
        // Graphs are of this program's own making.
        self = .internalError
    }

    private init(_ code: ExecutionError.Code) {
        self =
            switch code {
            case .deviceUnavailable, .unsupported: .unavailable
            case .missingParameter, .typeMismatch, .libraryFailure: .internalError
            }
    }

    private init(_ code: ModelError.Code) {
        self =
            switch code {
            case .notRecognised, .unsupportedArchitecture, .shapeMismatch: .badData
            case .invalidOption: .usage
            }
    }

    private init(_ code: ModelFormatError.Code) {
        self =
            switch code {
            case .notFound: .inputMissing
            // Whether there is a folder to write to is looked at before.
            case .inputOutput, .cannotWrite: .inputOutput
            case .unknownFormat, .unsupported, .malformed, .limitExceeded, .unsafeArchive,
                .checksumMismatch, .forbidden, .missingEntry, .sizeMismatch, .noWeights:
                .badData
            }
    }

    private init(_ code: ImageError.Code) {
        self =
            switch code {
            case .notFound: .inputMissing
            case .unreadable: .inputOutput
            case .unrecognizedFormat, .limitExceeded, .malformed, .damaged, .unsupported:
                .badData
            case .invalidArgument: .usage
            case .resourceExhausted: .failure
            }
    }

    private init(_ code: PretrainedError.Code) {
        self =
            switch code {
            case .unknownName, .offline: .inputMissing
            case .network: .unavailable
            case .verification, .refusedURL, .tooLarge: .badData
            case .inputOutput: .inputOutput
            case .cancelled: .interrupted
            }
    }

    private init(_ code: InferenceError.Code) {
        self =
            switch code {
            case .missingParameters, .classNameCount, .invalidClassNames: .badData
            case .invalidOption: .usage
            case .nonFinite: .internalError
            }
    }

    private init(_ code: TrainingError.Code) {
        self =
            switch code {
            case .invalidRecipe, .invalidReplicaCount, .classWeightCount, .invalidLearningRate,
                .memoryLimit:
                .usage
            case .labelOutOfRange, .invalidDistribution, .stateMismatch: .badData
            case .batchMismatch, .nonFiniteLoss: .internalError
            }
    }

    private init(_ code: DatasetError.Code) {
        self =
            switch code {
            case .notFound: .inputMissing
            case .unreadable: .inputOutput
            case .notRecognised, .malformed, .limitExceeded, .badSample, .tooManyBad: .badData
            case .invalidOption: .usage
            case .cannotWrite: .cannotCreate
            case .resourceExhausted: .failure
            }
    }

    private init(_ code: ExportError.Code) {
        self =
            switch code {
            case .invalidOption: .usage
            case .notRepresentable: .badData
            case .exists: .cannotCreate
            }
    }

    private init(_ code: RunError.Code) {
        self =
            switch code {
            case .invalidRecipe, .settingsDiffer, .cannotStore: .usage
            case .notARun: .inputMissing
            case .badCheckpoint, .badWeights, .badEvaluation, .labelMismatch, .nothingToEvaluate:
                .badData
            case .cannotWrite: .inputOutput
            case .nonFiniteLoss: .internalError
            case .stopped: .stopped
            }
    }
}

/// A failure that the command line itself finds, or words better than the module where it arose.
package struct CommandError: Error, Sendable, CustomStringConvertible {
    /// What the process ends with.
    package let status: ExitStatus
    /// What a person reads; empty where all has been said.
    package let message: String

    /// Makes an error.
    package init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    /// The message.
    package var description: String { message }

    /// The error of a result's file that cannot be written.
    package static func output(_ path: String, _ error: NativeError) -> CommandError {
        // A folder that is not there or not ours is another thing than a full disk.
        CommandError(
            error.code == .notFound ? .cannotCreate : .inputOutput,
            error.message.hasPrefix(path) ? error.message : "\(path): \(error.message)")
    }
}
