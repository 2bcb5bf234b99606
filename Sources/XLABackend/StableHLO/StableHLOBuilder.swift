package import Execution
package import Graph
package import Tensors

/// Writes a StableHLO program, operation by operation.
///
/// Each method checks its operands, computes the type of the result and writes one line, so that text which comes out
/// is text that a compiler accepts. Text is in the generic form, which all versions read, and uses only what
/// StableHLO has had since version 0.9. Nothing in it depends on the order of a dictionary: the same calls give the
/// same text.
///
/// Errors: all methods throw `ExecutionError` with code `.libraryFailure` where operands do not fit, which is a mistake
/// of the caller's and not of the graph's.
package struct StableHLOBuilder: Sendable {
    /// Where operations that are added next come from, as in `layer1.0.conv2`; empty where there is nothing to say.
    ///
    /// Profilers show it.
    package var label = ""
    /// Whether products of float32 numbers may be of operands rounded to TensorFloat-32.
    let allowsTensorFloat32: Bool

    private let name: String
    private let replicaCount: Int
    private var arguments: [(value: StableHLOValue, aliasedResult: Int?)] = []
    private var body = ""
    private var count = 0
    private var constants: [ConstantKey: StableHLOValue] = [:]

    private struct ConstantKey: Hashable {
        var literal: String
        var elementType: ElementType
    }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - name: what the program is called; other characters than letters and digits become `_`.
    ///   - replicaCount: how many devices run it at once, each on its own data.
    ///   - allowsTensorFloat32: whether convolutions and matrix products of float32 numbers may round their operands
    ///     to TensorFloat-32.
    package init(name: String, replicaCount: Int = 1, allowsTensorFloat32: Bool = false) {
        let isPlain = { (character: Character) in
            character.isASCII && (character.isLetter || character.isNumber)
        }
        self.name = "graph_" + String(name.map { isPlain($0) ? $0 : "_" })
        self.replicaCount = replicaCount
        self.allowsTensorFloat32 = allowsTensorFloat32
    }

    // MARK: The program

    /// Adds an argument.
    ///
    /// - Parameter result: the place of the result that takes over the argument's memory, if one does.
    package mutating func argument(
        _ type: TensorType, aliasedResult result: Int? = nil
    ) -> StableHLOValue {
        let value = StableHLOValue(name: "%arg\(arguments.count)", type: type)
        arguments.append((value, result))
        return value
    }

    /// The whole text.
    package func finish(_ results: [StableHLOValue]) throws(ExecutionError) -> String {
        var parameters: [String] = []
        for (value, aliasedResult) in arguments {
            var text = "\(value.name): \(value.type.stableHLO)"
            if let aliasedResult {
                try require(
                    results.indices.contains(aliasedResult)
                        && results[aliasedResult].type == value.type, "program",
                    "expected a result \(aliasedResult) of \(value.type), as \(value.name) is")
                text += " {tf.aliasing_output = \(aliasedResult) : i32}"
            }
            parameters.append(text)
        }
        let types = results.map(\.type.stableHLO).joined(separator: ", ")
        return """
            module @\(name) attributes {mhlo.num_replicas = \(replicaCount) : i32, \
            mhlo.num_partitions = 1 : i32} {
              func.func public @main(\(parameters.joined(separator: ", "))) -> (\(types)) {
            \(body)    "func.return"(\(results.map(\.name).joined(separator: ", "))) : (\(types)) -> ()
              }
            }

            """
    }

    // MARK: Constants

    /// One number without axes; the same value where it was asked for before.
    package mutating func constant(_ number: Double, _ elementType: ElementType) -> StableHLOValue {
        let literal = elementType.literal(number)
        let key = ConstantKey(literal: literal, elementType: elementType)
        if let value = constants[key] { return value }
        let value = add(
            "constant", [],
            ["value = dense<\(literal)> : \(TensorType(elementType, []).stableHLO)"],
            TensorType(elementType, []))
        constants[key] = value
        return value
    }

    /// A vector of numbers, at least one.
    package mutating func constant(
        _ numbers: [Double], _ elementType: ElementType
    ) throws(ExecutionError) -> StableHLOValue {
        try require(!numbers.isEmpty, "constant", "expected numbers, found none")
        let type = TensorType(elementType, Shape([numbers.count]))
        let list = numbers.map { elementType.literal($0) }.joined(separator: ", ")
        return add("constant", [], ["value = dense<[\(list)]> : \(type.stableHLO)"], type)
    }

    // MARK: Writing

    /// Writes an operation.
    ///
    /// - Parameter reduction: what the operation does with two numbers, if it takes a function.
    mutating func add(
        _ operation: String, _ operands: [StableHLOValue], _ attributes: [String],
        _ type: TensorType, reduction: Reduction? = nil
    ) -> StableHLOValue {
        let value = StableHLOValue(name: "%\(count)", type: type)
        count += 1
        body += "    \(value.name) = \"stablehlo.\(operation)\"("
        body += operands.map(\.name).joined(separator: ", ") + ")"
        if let reduction { body += " (\(reduction.region(type.elementType)))" }
        if !attributes.isEmpty { body += " {\(attributes.joined(separator: ", "))}" }
        body += " : (\(operands.map(\.type.stableHLO).joined(separator: ", ")))"
        body += " -> \(type.stableHLO)\(location)\n"
        return value
    }

    private var location: String {
        if label.isEmpty { return "" }
        let plain = label.unicodeScalars.map { scalar in
            (" "..."~").contains(scalar) && scalar != "\"" && scalar != "\\"
                ? String(scalar) : "_"
        }
        return " loc(\"\(plain.joined())\")"
    }

    /// Throws unless something holds that a caller has to see to.
    func require(
        _ holds: Bool, _ operation: String, _ message: @autoclosure () -> String
    ) throws(ExecutionError) {
        if holds { return }
        let place = label.isEmpty ? "" : " at \(label)"
        throw ExecutionError(
            .libraryFailure, "program \(name)\(place): stablehlo.\(operation): \(message())")
    }

    /// A shape that was computed.
    func shape(
        _ dimensions: [Int], _ operation: String
    ) throws(ExecutionError) -> Shape {
        do {
            return try Shape(validating: dimensions)
        } catch {
            throw ExecutionError(
                .libraryFailure, "program \(name): stablehlo.\(operation): \(error.message)")
        }
    }
}

/// Numbers as StableHLO writes a list of them: `array<i64: 1, 2>`.
func list(_ numbers: [Int]) -> String {
    numbers.isEmpty
        ? "array<i64>" : "array<i64: \(numbers.map(String.init).joined(separator: ", "))>"
}

/// Paddings before and after, an axis a row, as StableHLO writes them.
func table(_ pairs: [(low: Int, high: Int)]) -> String {
    let rows = pairs.map { "[\($0.low), \($0.high)]" }.joined(separator: ", ")
    return "dense<[\(rows)]> : tensor<\(pairs.count)x2xi64>"
}
