import Inference
import Native
import ResNetModel
import Tensors
import Training

/// What training starts from: a network and numbers for all its parameters.
struct StartingWeights: Sendable {
    let architecture: ResNetArchitecture
    let parameters: [String: HostTensor]
    /// The file, or nothing where the numbers were drawn.
    let name: String
    /// SHA-256 of names and bytes of what was read from the file; empty where the numbers were drawn.
    let digest: String
    /// Sentences for people.
    let notes: [String]

    /// Chooses them.
    ///
    /// A file's classifier is kept where its classes are those of the data: as many, and of the same names where the
    /// file names them. Else it is replaced by a new one, drawn as PyTorch's `Linear`: uniform between
    /// `±1 / sqrt(features)`, weight and bias.
    ///
    /// - Throws: `RunError` with code `.badWeights` where a number of the file is not finite, `.cannotWrite` where there
    ///   is no SHA-256.
    init(
        from model: LoadedModel?, recipe: Recipe, classNames: [String]
    ) throws(RunError) {
        let seed = UInt64(recipe.seed)
        guard let model else {
            architecture = ResNetArchitecture(
                depth: recipe.depth, variant: recipe.variant, classCount: classNames.count)
            parameters = architecture.initialParameters(seed: seed, recipe.initialisation)
            name = ""
            digest = ""
            notes = []
            return
        }
        var target = model.architecture
        target.classCount = classNames.count
        var parameters = model.parameters
        var notes: [String] = []
        if model.architecture.classCount != classNames.count
            || (model.stated.classNames.map { $0 != classNames } ?? false)
        {
            for (index, parameter) in target.parameterList.enumerated()
            where parameter.role == .weight || parameter.role == .bias {
                parameters[parameter.name] = target.initialTensor(
                    parameter, seed: seed, stream: UInt64(index), Initialisation())
            }
            notes.append(
                "the classifier of \(model.architecture.classCount) classes was replaced by a new "
                    + "one of \(classNames.count)")
        }
        for parameter in target.parameterList {
            guard let tensor = parameters[parameter.name], !tensor.isFinite else { continue }
            throw RunError(
                .badWeights,
                "\(parameter.name) in \(model.name): expected finite numbers, found infinities or "
                    + "not-a-number; the file may be damaged, start from another one")
        }
        architecture = target
        self.parameters = parameters
        name = model.name
        digest = try Self.digest(model.parameters)
        self.notes = notes
    }

    private static func digest(_ tensors: [String: HostTensor]) throws(RunError) -> String {
        do {
            var hash = try SHA256()
            for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
                try hash.update(Array("\(name) \(tensor.shape)\n".utf8).span)
                try hash.update(tensor.memory.bytes)
            }
            return try hash.finish()
        } catch {
            throw RunError(.cannotWrite, error.message)
        }
    }
}
