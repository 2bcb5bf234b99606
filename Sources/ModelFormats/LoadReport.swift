public import Tensors

/// What became of the tensors of a file when a model asked for its parameters.
public struct LoadReport: Sendable, Hashable, CustomStringConvertible {
    /// A parameter whose tensor has another shape.
    public struct Mismatch: Sendable, Hashable {
        /// The parameter's name.
        public let name: String
        /// The shape that the model asks for.
        public let expected: Shape
        /// The shape in the file.
        public let found: Shape

        /// Describes a mismatch.
        public init(name: String, expected: Shape, found: Shape) {
            self.name = name
            self.expected = expected
            self.found = found
        }
    }

    /// Parameters that were found, in the model's order.
    public let applied: [String]
    /// Parameters that the file does not hold; `num_batches_tracked`, which no result needs, is not counted.
    public let missing: [String]
    /// Names in the file that the model did not ask for, as they stand there.
    public let unused: [String]
    /// Parameters that the file holds in another shape.
    public let mismatched: [Mismatch]

    /// Whether every parameter was found in its shape and nothing was left over.
    public var isExact: Bool { isComplete && unused.isEmpty }

    /// Whether every parameter was found in its shape.
    public var isComplete: Bool { missing.isEmpty && mismatched.isEmpty }

    /// One line with the counts, and one for every parameter that was not applied.
    public var description: String {
        var lines = [
            "\(applied.count) applied, \(missing.count) missing, \(unused.count) unused, "
                + "\(mismatched.count) mismatched"
        ]
        lines += missing.map { "missing: \($0)" }
        lines += mismatched.map {
            "mismatched: \($0.name): expected \($0.expected), found \($0.found)"
        }
        lines += unused.map { "unused: \($0)" }
        return lines.joined(separator: "\n")
    }
}

/// Picks a model's parameters from a file.
///
/// A tensor belongs to a parameter whose name it has, or else whose name it has once made canonical by
/// `canonicalParameterName(_:)`. The caller decides how strict to be with the report.
///
/// - Parameters:
///   - file: the file.
///   - expecting: the parameters with their shapes.
/// - Returns: the tensors by the expected names, and what became of each.
public func load(
    _ file: WeightFile, expecting: [(name: String, shape: Shape)]
) -> (parameters: [String: HostTensor], report: LoadReport) {
    var indices: [String: Int] = [:]
    for (index, tensor) in file.tensors.enumerated() where indices[tensor.name] == nil {
        indices[tensor.name] = index
    }
    for (index, tensor) in file.tensors.enumerated() {
        let canonical = canonicalParameterName(tensor.name)
        if indices[canonical] == nil { indices[canonical] = index }
    }
    var parameters: [String: HostTensor] = [:]
    var used: Set<Int> = []
    var applied: [String] = []
    var missing: [String] = []
    var mismatched: [LoadReport.Mismatch] = []
    for (name, shape) in expecting {
        guard let index = indices[name] else {
            if !name.hasSuffix(".num_batches_tracked") { missing.append(name) }
            continue
        }
        used.insert(index)
        let tensor = file.tensors[index].tensor
        if tensor.shape == shape {
            parameters[name] = tensor
            applied.append(name)
        } else {
            mismatched.append(
                LoadReport.Mismatch(name: name, expected: shape, found: tensor.shape))
        }
    }
    let unused = file.tensors.enumerated().filter { !used.contains($0.offset) }
        .map(\.element.name)
    return (
        parameters,
        LoadReport(applied: applied, missing: missing, unused: unused, mismatched: mismatched)
    )
}
