import Inference
import ModelFormats
import ResNetModel
import Tensors

/// A model's parameters as TensorFlow's variables, in float32, under the names of NVIDIA's networks.
struct TensorFlowVariables {
    /// The variables in the order of `ResNetArchitecture.parameterList`.
    let variables: [TensorBundle.Variable]
    /// What a weight file says of itself, as JSON, by the name of the variable that holds it.
    let texts: [String: String]
    /// The variable of a parameter, by its canonical name.
    private let nameOfParameter: [String: String]

    /// Names a model's parameters.
    ///
    /// - Parameters:
    ///   - model: the model.
    ///   - metadata: what is said of it.
    /// - Throws: `ModelFormatError` with code `.unsupported` for a parameter without a name there.
    init(_ model: LoadedModel, _ metadata: [String: String]) throws(ModelFormatError) {
        let root = Self.root(of: model.architecture)
        var variables: [TensorBundle.Variable] = []
        var names: [String: String] = [:]
        for parameter in model.architecture.parameterList {
            guard let (name, axes) = tensorFlowVariable(of: parameter.name, root: root),
                let tensor = try? model.parameters[parameter.name]?.converted(to: .float32)
            else {
                throw ModelFormatError(
                    .unsupported, "\(parameter.name): TensorFlow's networks have no such variable")
            }
            names[parameter.name] = name
            variables.append(TensorBundle.Variable(name: name, tensor: tensor, axes: axes))
        }
        self.variables = variables
        nameOfParameter = names
        texts = [tensorFlowMetadataKey: Safetensors.metadataText(metadata)]
    }

    /// The variable of a parameter.
    ///
    /// - Precondition: it is in the architecture's parameter list.
    func name(of parameter: String) -> String {
        guard let name = nameOfParameter[parameter] else {
            preconditionFailure("\(parameter) is not in the architecture's parameter list")
        }
        return name
    }

    /// What names of variables begin with, as in `resnet50`.
    static func root(of architecture: ResNetArchitecture) -> String {
        "resnet\(architecture.depth.rawValue)"
    }
}
