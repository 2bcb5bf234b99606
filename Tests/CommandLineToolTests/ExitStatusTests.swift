import CommandLineTool
import Datasets
import Execution
import Exports
import Graph
import Images
import Inference
import ModelFormats
import Native
import Pretrained
import ResNetModel
import Runs
import Tensors
import Testing
import Training

@Suite("Exit statuses")
struct ExitStatusTests {
    @Test("are the documented numbers")
    func numbers() {
        #expect(
            ExitStatus.allCases.map(\.rawValue) == [0, 1, 64, 65, 66, 69, 70, 73, 74, 75, 130, 143])
    }

    @Test("follow from the errors of Native")
    func native() {
        let table: [NativeError.Code: ExitStatus] = [
            .notFound: .inputMissing, .inputOutput: .inputOutput, .resourceExhausted: .failure,
            .unsupported: .badData, .malformed: .badData, .limitExceeded: .badData,
            .libraryFailure: .internalError, .networkFailure: .unavailable,
            .timedOut: .unavailable, .cancelled: .interrupted, .addressRefused: .badData,
            .invalidArgument: .internalError,
        ]
        for code in NativeError.Code.allCases {
            #expect(ExitStatus(NativeError(code, "")) == table[code])
        }
    }

    @Test("follow from the errors of Images")
    func images() {
        let table: [ImageError.Code: ExitStatus] = [
            .notFound: .inputMissing, .unreadable: .inputOutput, .unrecognizedFormat: .badData,
            .limitExceeded: .badData, .malformed: .badData, .damaged: .badData,
            .unsupported: .badData, .invalidArgument: .usage, .resourceExhausted: .failure,
        ]
        for code in ImageError.Code.allCases {
            #expect(ExitStatus(ImageError(code, "")) == table[code])
        }
    }

    @Test("follow from the errors of Exports")
    func exports() {
        let table: [ExportError.Code: ExitStatus] = [
            .invalidOption: .usage, .notRepresentable: .badData, .exists: .cannotCreate,
        ]
        for code in ExportError.Code.allCases {
            #expect(ExitStatus(ExportError(code, "")) == table[code])
        }
    }

    @Test("follow from the errors of Datasets")
    func datasets() {
        let others: [DatasetError.Code: ExitStatus] = [
            .notFound: .inputMissing, .unreadable: .inputOutput, .invalidOption: .usage,
            .cannotWrite: .cannotCreate, .resourceExhausted: .failure,
        ]
        for code in DatasetError.Code.allCases {
            let status = ExitStatus(DatasetError(code, ""))
            #expect(status == others[code] ?? .badData)
        }
    }

    @Test("follow from the errors of Runs")
    func runs() {
        let table: [RunError.Code: ExitStatus] = [
            .invalidRecipe: .usage, .settingsDiffer: .usage, .cannotStore: .usage,
            .notARun: .inputMissing,
            .badCheckpoint: .badData, .badWeights: .badData, .badEvaluation: .badData,
            .labelMismatch: .badData,
            .nothingToEvaluate: .badData,
            .cannotWrite: .inputOutput,
            .nonFiniteLoss: .internalError, .stopped: .stopped,
        ]
        for code in RunError.Code.allCases {
            let status = ExitStatus(RunError(code, ""))
            #expect(status == table[code])
        }
    }

    @Test("follow from the errors of ModelFormats")
    func modelFormats() {
        let others: [ModelFormatError.Code: ExitStatus] = [
            .notFound: .inputMissing, .inputOutput: .inputOutput, .cannotWrite: .inputOutput,
        ]
        for code in ModelFormatError.Code.allCases {
            #expect(ExitStatus(ModelFormatError(code, "")) == others[code] ?? .badData)
        }
    }

    @Test("follow from the errors of Pretrained")
    func pretrained() {
        let table: [PretrainedError.Code: ExitStatus] = [
            .unknownName: .inputMissing, .offline: .inputMissing, .network: .unavailable,
            .verification: .badData, .inputOutput: .inputOutput, .cancelled: .interrupted,
            .refusedURL: .badData, .tooLarge: .badData,
        ]
        for code in PretrainedError.Code.allCases {
            #expect(ExitStatus(PretrainedError(code, "")) == table[code])
        }
    }

    @Test("follow from the errors of Inference and ResNetModel")
    func inference() {
        let table: [InferenceError.Code: ExitStatus] = [
            .missingParameters: .badData, .classNameCount: .badData, .invalidClassNames: .badData,
            .invalidOption: .usage, .nonFinite: .internalError,
        ]
        for code in InferenceError.Code.allCases {
            #expect(ExitStatus(InferenceError(code, "")) == table[code])
        }
        for code in ModelError.Code.allCases {
            let expected: ExitStatus = code == .invalidOption ? .usage : .badData
            #expect(ExitStatus(ModelError(code, "")) == expected)
        }
    }

    @Test("map failures of training steps")
    func training() {
        let table: [TrainingError.Code: ExitStatus] = [
            .invalidRecipe: .usage, .invalidReplicaCount: .usage, .classWeightCount: .usage,
            .invalidLearningRate: .usage, .memoryLimit: .usage, .labelOutOfRange: .badData,
            .invalidDistribution: .badData, .stateMismatch: .badData,
            .batchMismatch: .internalError,
            .nonFiniteLoss: .internalError,
        ]
        for code in TrainingError.Code.allCases {
            #expect(ExitStatus(TrainingError(code, "")) == table[code])
        }
    }

    @Test("follow from the errors of the engine")
    func engine() {
        let table: [ExecutionError.Code: ExitStatus] = [
            .missingParameter: .internalError, .typeMismatch: .internalError,
            .unsupported: .unavailable, .deviceUnavailable: .unavailable,
            .libraryFailure: .internalError,
        ]
        for code in ExecutionError.Code.allCases {
            #expect(ExitStatus(ExecutionError(code, "")) == table[code])
        }
        for code in GraphError.Code.allCases {
            #expect(ExitStatus(GraphError(code, "")) == .internalError)
        }
        for code in TensorError.Code.allCases {
            #expect(ExitStatus(TensorError(code, "")) == .badData)
        }
    }

    @Test("follow from cancellation, and from errors of nobody")
    func others() {
        struct Strange: Error {}
        #expect(ExitStatus(CancellationError()) == .interrupted)
        #expect(ExitStatus(Strange()) == .failure)
        #expect(ExitStatus(CommandError(.cannotCreate, "")) == .cannotCreate)
    }

    @Test("tell a missing folder for a result from a full disk")
    func outputs() {
        let missing = CommandError.output("a/b", NativeError(.notFound, "no folder a"))
        #expect(missing.status == .cannotCreate && missing.message == "a/b: no folder a")
        let full = CommandError.output("a/b", NativeError(.inputOutput, "a/b: disk full"))
        #expect(full.status == .inputOutput && full.message == "a/b: disk full")
    }
}
