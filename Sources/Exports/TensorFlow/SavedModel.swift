import FoundationEssentials
import Inference
import ModelFormats
import Native
import ResNetModel
import SwiftProtobuf
import Tensors

extension ExportFormat {
    /// A SavedModel of TensorFlow as NVIDIA's networks for TensorFlow 1 are exported, in a folder of its own.
    package static let savedModel = ExportFormat(
        name: "saved-model",
        summary:
            "a SavedModel of TensorFlow, by NVIDIA's signatures: pixels in, classes and probabilities out",
        options: [.size]
    ) { model, facts, options, path in
        try SavedModel.write(model, facts, to: path)
    }
}

/// Writes SavedModels of TensorFlow.
///
/// Signatures `predict` and `serving_default` take `input`, float32 `[N, side, side, 3]`, pixels from 0 to 255, red
/// first, and give `classes`, int32 `[N]`, and `probabilities`, float32 `[N, classes]`. `tf.saved_model.load` and
/// TensorFlow Serving read it.
///
/// Source: NVIDIA DeepLearningExamples at commit 729963dd, TensorFlow ConvNets, `runtime/runner.py`; TensorFlow 2.21,
/// `saved_model.proto`.
enum SavedModel {
    /// Writes a model in float32: the graph, its variables, and the names of its classes in `assets.extra`.
    ///
    /// - Parameters:
    ///   - model: the model.
    ///   - facts: what is said of it.
    ///   - path: the folder; made where it is not there.
    /// - Throws: `ExportError` with code `.exists` where the folder holds something; `ModelFormatError` and `NativeError`
    ///   where it cannot be written; `GraphError`.
    static func write(
        _ model: LoadedModel, _ facts: ExportedFacts, to path: String
    ) throws -> ExportedModel {
        let folder = try NewFolder(at: path)
        let network = try TensorFlowVariables(
            model, facts.metadata(takesPixels: true, givesProbabilities: true))
        var savedModel = TensorFlowSavedModel()
        savedModel.savedModelSchemaVersion = 1
        savedModel.metaGraphs = [try metaGraph(model.architecture, network, facts)]
        var options = BinaryEncodingOptions()
        options.useDeterministicOrdering = true
        let bytes: [UInt8] = try savedModel.serializedBytes(options: options)
        let place = folder.temporaryPath
        try createFolder(atPath: place + "/variables")
        try createFolder(atPath: place + "/assets.extra")
        try TensorBundle.write(
            network.variables, texts: network.texts, to: place + "/variables/variables")
        try writeFile(
            Memory(copying: Array(facts.labelLines.utf8)),
            toPath: place + "/assets.extra/labels.txt")
        try writeFile(Memory(copying: bytes), toPath: place + "/saved_model.pb")
        try folder.commit()
        let files = [
            "saved_model.pb", "variables/variables.index",
            "variables/variables.data-00000-of-00001", "assets.extra/labels.txt",
        ]
        return ExportedModel(
            files: files.map { "\(folder.path)/\($0)" }, readablePath: folder.path,
            notes: model.roundingNotes)
    }

    private static func metaGraph(
        _ architecture: ResNetArchitecture, _ variables: TensorFlowVariables,
        _ facts: ExportedFacts
    ) throws -> TensorFlowMetaGraphDef {
        let network = try TensorFlowNetwork(
            architecture, variables, imageSize: facts.imageSize, temperature: facts.temperature)
        var writer = network.writer
        var metaGraph = TensorFlowMetaGraphDef()
        metaGraph.metaInfoDef = [
            .with { info in
                info.tags = ["serve"]
                info.tensorflowVersion = "1.15.0"
                info.strippedDefaultAttrs = true
            }
        ]
        metaGraph.saverDef = [writeSaver(variables.variables.map(\.name), &writer)]
        metaGraph.graphDef = [writer.graph]
        metaGraph.collectionDef = try collections(architecture, variables)
        let signature = signature(architecture, imageSize: facts.imageSize)
        metaGraph.signatureDef = ["predict": signature, "serving_default": signature]
        return metaGraph
    }

    private static func signature(
        _ architecture: ResNetArchitecture, imageSize: Int
    ) -> TensorFlowSignatureDef {
        func tensor(
            _ name: String, _ type: TensorFlowDataType, _ extents: [Int]
        ) -> TensorFlowTensorInfo {
            .with { info in
                info.name = name + ":0"
                info.dtype = type
                info.tensorShape = TensorFlowTensorShapeProto(extents)
            }
        }
        typealias Name = TensorFlowNetwork.Name
        return .with { signature in
            signature.inputs = [
                "input": tensor(Name.input, .dtFloat, [-1, imageSize, imageSize, 3])
            ]
            signature.outputs = [
                "classes": tensor(Name.classes, .dtInt32, [-1]),
                "probabilities": tensor(
                    Name.probabilities, .dtFloat, [-1, architecture.classCount]),
            ]
            signature.methodName = "tensorflow/serving/predict"
        }
    }

    /// Adds the nodes that restore and save variables.
    private static func writeSaver(
        _ names: [String], _ writer: inout TensorFlowGraphWriter
    ) -> TensorFlowSaverDef {
        let text: [String: TensorFlowAttrValue] = ["dtype": .type(.dtString)]
        let types = [TensorFlowDataType](repeating: .dtFloat, count: names.count)
        let listed: [String: TensorFlowAttrValue] = ["dtypes": .types(types)]
        let float: [String: TensorFlowAttrValue] = ["dtype": .type(.dtFloat)]
        let initial = writer.constant("save/filename/input", ["model"], shape: [])
        let filename = writer.node(
            "save/filename", "PlaceholderWithDefault", [initial],
            text.merging(["shape": .shape([])]) { $1 })
        let file = writer.node(
            "save/Const", "PlaceholderWithDefault", [filename],
            text.merging(["shape": .shape([])]) { $1 })
        let keys = writer.constant("save/tensor_names", names, shape: [names.count])
        let slices = writer.constant(
            "save/shape_and_slices", [String](repeating: "", count: names.count),
            shape: [names.count])
        writer.node(
            "save/SaveV2", "SaveV2",
            [file, keys, slices] + names.map { "\($0)/Read/ReadVariableOp" }, listed)
        writer.node(
            "save/control_dependency", "Identity", [file, "^save/SaveV2"],
            ["T": .type(.dtString)])
        writer.node("save/RestoreV2", "RestoreV2", [file, keys, slices], listed)
        var assignments: [String] = []
        for (index, name) in names.enumerated() {
            let value = writer.node(
                "save/Identity_\(index)", "Identity", ["save/RestoreV2:\(index)"],
                ["T": .type(.dtFloat)])
            let assignment = writer.node(
                "save/AssignVariableOp_\(index)", "AssignVariableOp", [name, value], float)
            assignments.append("^" + assignment)
        }
        writer.node("save/restore_all", "NoOp", assignments)
        return .with { saver in
            saver.filenameTensorName = "save/Const:0"
            saver.saveTensorName = "save/control_dependency:0"
            saver.restoreOpName = "save/restore_all"
            saver.maxToKeep = 5
            saver.keepCheckpointEveryNHours = 10_000
            saver.version = .v2
        }
    }

    /// The lists of variables by which TensorFlow finds them in the graph.
    private static func collections(
        _ architecture: ResNetArchitecture, _ variables: TensorFlowVariables
    ) throws -> [String: TensorFlowCollectionDef] {
        var all: [Data] = []
        var trained: [Data] = []
        for parameter in architecture.parameterList {
            let name = variables.name(of: parameter.name)
            let variable = TensorFlowVariableDef.with { variable in
                variable.variableName = name + ":0"
                variable.initialValueName = "\(name)/Initializer/zeros:0"
                variable.initializerName = "\(name)/Assign"
                variable.snapshotName = "\(name)/Read/ReadVariableOp:0"
                variable.isResource = true
                variable.trainable = parameter.isTrained
            }
            let bytes: [UInt8] = try variable.serializedBytes()
            all.append(Data(bytes))
            if parameter.isTrained { trained.append(Data(bytes)) }
        }
        func list(_ values: [Data]) -> TensorFlowCollectionDef {
            .with { collection in collection.bytesList = .with { $0.value = values } }
        }
        return ["variables": list(all), "trainable_variables": list(trained)]
    }
}
