import Execution
import ResNetModel
import Tensors

/// Parameters and images that a formula gives, the same in Swift and in Python.
enum FormulaNetwork {
    /// Numbers in `0..<1`: a hash of stream and place, as in Scripts/fixtures/network_logits.py.
    static func uniform(stream: Int, count: Int) -> [Double] {
        var numbers = [Double](repeating: 0, count: count)
        for index in 0..<count {
            var value = UInt64(index) &* 2_654_435_761 &+ UInt64(stream) &* 40_503 &+ 12_345
            value &= 0xFFFF_FFFF
            value ^= value >> 16
            value = (value &* 2_246_822_519) & 0xFFFF_FFFF
            value ^= value >> 13
            numbers[index] = Double(value) * 0x1p-32
        }
        return numbers
    }

    /// The parameters of that script.
    static func parameters(_ architecture: ResNetArchitecture) -> Parameters {
        var tensors: Parameters = [:]
        for (index, parameter) in architecture.parameterList.enumerated() {
            let shape = parameter.shape
            let fanIn = Double(shape.elementCount) / Double(shape[0])
            let (factor, offset): (Double, Double) =
                switch parameter.role {
                case .filter: (2 * (6 / fanIn).squareRoot(), -(6 / fanIn).squareRoot())
                case .weight: (0.25, -0.125)
                case .bias, .shift: (1, -0.5)
                case .runningMean: (0.25, -0.125)
                case .runningVariance: (1, 0.5)
                case .scale: (0.5, 0.5)
                }
            let numbers = uniform(stream: index + 1, count: shape.elementCount)
            tensors[parameter.name] = HostTensor(shape: shape) { target in
                for index in target.indices {
                    target[index] = Float(numbers[index] * factor + offset)
                }
            }
        }
        return tensors
    }

    /// The images of that script.
    static func images(batch: Int, imageSize: Int) -> HostTensor {
        let shape: Shape = [batch, imageSize, imageSize, 3]
        return HostTensor(
            uniform(stream: 0, count: shape.elementCount).map { UInt8($0 * 256) }, shape: shape)
    }
}
