import Tensors

/// What sets the ResNets of `keras.applications` apart, and how it becomes parameters of a ResNet here.
///
/// Source: Keras 3.15, `keras/src/applications/resnet.py` and `imagenet_utils.py`.
enum KerasConventions {
    /// The stride on the 1x1 convolution, PyTorch's padding, and pixels less their mean, undivided.
    static let metadata: [String: String] = {
        // Stated for blue, green, red; here red is first.
        let means = [123.68, 116.779, 103.939].map { "\($0 / 255)" }
        let deviations = [String](repeating: "\(1.0 / 255)", count: 3)
        return [
            "variant": "v1", "padding": "symmetric", "mean": means.joined(separator: ","),
            "std": deviations.joined(separator: ","), "resize": "256", "crop": "224",
        ]
    }()

    /// Epsilon of Keras's batch norms less that of the networks here.
    private static let surplusEpsilon = 1.001e-5 - 1e-5

    /// Moves convolutions' biases into running means and the other epsilon into running variances, and lets the first
    /// convolution read red first.
    ///
    /// - Parameter network: parameters by canonical name; the biases, which have no place here, are removed.
    /// - Returns: sentences about what was done.
    static func apply(to network: inout [String: HostTensor]) -> [String] {
        var foldedCount = 0
        for (name, variance) in network where name.hasSuffix(".running_var") {
            let module = name.dropLast(".running_var".count)
            network[name] = HostTensor(
                variance.doubles().map { Float($0 + surplusEpsilon) }, shape: variance.shape)
            let biasName = bias(ofNormalization: String(module))
            let meanName = "\(module).running_mean"
            if let bias = network[biasName], let mean = network[meanName], bias.shape == mean.shape
            {
                let moved = zip(mean.doubles(), bias.doubles()).map { Float($0 - $1) }
                network[meanName] = HostTensor(moved, shape: mean.shape)
                network[biasName] = nil
                foldedCount += 1
            }
        }
        if let filter = network["conv1.weight"], filter.shape.rank == 4, filter.shape[1] == 3 {
            network["conv1.weight"] = reversingInputs(filter)
        }
        return [
            "as keras.applications has them: pixels less their mean, blue first (the first "
                + "convolution was turned to red first); \(foldedCount) biases of convolutions were "
                + "moved into batch norms, and epsilon 1.001e-5 into their variances"
        ]
    }

    /// `conv1.bias` of `bn1`, `layer1.0.downsample.0.bias` of `layer1.0.downsample.1`.
    private static func bias(ofNormalization module: String) -> String {
        let parts = module.split(separator: ".").map(String.init)
        guard let last = parts.last else { return "" }
        let convolution = last == "1" ? "0" : "conv" + last.dropFirst("bn".count)
        return (parts.dropLast() + [convolution, "bias"]).joined(separator: ".")
    }

    /// A filter whose input channels are in the opposite order.
    private static func reversingInputs(_ filter: HostTensor) -> HostTensor {
        let (outputs, inputs) = (filter.shape[0], filter.shape[1])
        let window = filter.shape[2] * filter.shape[3]
        let source = filter.floats()
        return HostTensor(shape: filter.shape) { target in
            for output in 0..<outputs {
                for input in 0..<inputs {
                    for place in 0..<window {
                        target[(output * inputs + input) * window + place] =
                            source[(output * inputs + inputs - 1 - input) * window + place]
                    }
                }
            }
        }
    }
}
