import Tensors

extension Graph {
    /// Reads the text form that `description` writes.
    ///
    /// Spaces and empty lines may be added. Every operation is checked as it is read, so the graph is verified.
    ///
    /// - Throws: `GraphError` whose message begins with line and column: code `.syntax` where the text does not
    ///   follow the grammar, the code of the check where a node does not hold.
    public init(text: String) throws(GraphError) {
        var parser = GraphParser(text: text)
        self = try parser.parseGraph()
    }
}

/// A recursive-descent parser over the text's bytes.
///
/// Every rule consumes what it names or throws.
private struct GraphParser {
    private var reader: GraphTextReader
    private var builder = GraphBuilder(name: "")

    init(text: String) { reader = GraphTextReader(text: text) }

    mutating func parseGraph() throws(GraphError) -> Graph {
        reader.skipEmptyLines()
        try reader.expectWord("graph")
        let name = try reader.name()
        builder = GraphBuilder(name: name, replicaCount: try parseReplicaCount())
        try reader.expect("{")
        try reader.endLine()
        var nodeCount = 0
        while reader.peek() != UInt8(ascii: "}") {
            let start = reader.position
            if reader.peek() == UInt8(ascii: "%") {
                try parseNode(index: nodeCount, start: start)
                nodeCount += 1
            } else {
                try parseResult(start: start)
            }
            try reader.endLine()
        }
        let end = reader.position
        try reader.expect("}")
        reader.skipEmptyLines()
        guard reader.isAtEnd else { throw reader.error("expected the end of the text after }") }
        do {
            return try builder.finish()
        } catch {
            throw reader.located(error, at: end)
        }
    }

    /// `replicas=8` after the graph's name; 1 where it is not there.
    private mutating func parseReplicaCount() throws(GraphError) -> Int {
        guard let byte = reader.peek(), GraphText.isWordByte(byte) else { return 1 }
        try reader.expectWord("replicas")
        try reader.expect("=")
        let start = reader.position
        let count = try reader.integer()
        do {
            try Graph.checkReplicaCount(count)
        } catch {
            throw reader.located(error, at: start)
        }
        return count
    }

    /// `output logits = %8` or `update step = %9`.
    private mutating func parseResult(start: GraphTextReader.Position) throws(GraphError) {
        let word = try reader.word()
        guard word == "output" || word == "update" else {
            throw reader.error("expected output or update, found \(word)", at: start)
        }
        let name = try reader.name()
        try reader.expect("=")
        let value = try parseValue()
        do {
            if word == "output" {
                try builder.output(name, value)
            } else {
                try builder.update(name, value)
            }
        } catch {
            throw reader.located(error, at: start)
        }
    }

    private mutating func parseNode(
        index: Int, start: GraphTextReader.Position
    ) throws(GraphError) {
        let value = try parseValue()
        guard value.index == index else {
            throw reader.error(
                "expected %\(index), the next node; found %\(value.index)", at: start)
        }
        try reader.expect("=")
        let operationStart = reader.position
        let word = try reader.word()
        let operation: Operation
        var operands: [Value] = []
        // Some operations state in their result type what they need, so the type is read first.
        let type: TensorType
        switch word {
        case "input", "parameter", "state":
            let name = try reader.name()
            type = try parseType()
            operation =
                switch word {
                case "input": .input(name: name)
                case "parameter": .parameter(name: name)
                default: .state(name: name)
                }
        case "constant":
            let number = try reader.number()
            type = try parseType()
            operation = .constant(number, type.elementType)
        default:
            let roles: OperandRoles
            (operands, roles) = try parseOperands()
            let attributes = try parseAttributes(roles)
            type = try parseType()
            operation = try attributes.operation(
                named: word, result: type, reader: reader, at: operationStart)
        }
        let label = try reader.label()
        do throws(GraphError) {
            let made =
                operation.isLeaf
                ? try builder.addLeaf(operation, type: type, label: label)
                : try builder.append(operation, operands, label: label)
            guard let found = builder.type(of: made), found == type else {
                let found = builder.type(of: made)?.description ?? "nothing"
                throw GraphError(
                    .shapeMismatch, "%\(index): \(word) gives \(found), the text states \(type)")
            }
        } catch {
            throw reader.located(error, at: operationStart)
        }
    }

    private mutating func parseValue() throws(GraphError) -> Value {
        try reader.expect("%")
        return Value(index: try reader.integer())
    }

    /// `(%0, %1, bias: %2, residual: %3)` or `(%0, %1, weights: %2)`.
    private mutating func parseOperands() throws(GraphError) -> ([Value], OperandRoles) {
        var operands: [Value] = []
        var roles = OperandRoles()
        try reader.expect("(")
        while true {
            let start = reader.position
            if reader.peek() != UInt8(ascii: "%") {
                switch try reader.word() {
                case "bias:" where operands.count == 2 && roles.isPlain: roles.hasBias = true
                case "weights:" where operands.count == 2 && roles.isPlain:
                    roles.hasWeights = true
                case "residual:" where operands.count >= 2 && !roles.hasResidual:
                    roles.hasResidual = true
                default:
                    throw reader.error(
                        "expected a value such as %0, or after two of them bias:, residual: "
                            + "or weights:", at: start)
                }
            }
            operands.append(try parseValue())
            if reader.consume(")") { return (operands, roles) }
            try reader.expect(",")
        }
    }

    /// `stride=2x2 padding=3,3,3,3 activation=relu`, in any order, each at most once.
    private mutating func parseAttributes(
        _ roles: OperandRoles
    ) throws(GraphError) -> NodeAttributes {
        var attributes = NodeAttributes(roles: roles)
        while let byte = reader.peek(), byte != UInt8(ascii: ":") {
            let start = reader.position
            let key = try reader.word()
            try reader.expect("=")
            guard !attributes.names.contains(key) else {
                throw reader.error("\(key) is stated twice", at: start)
            }
            attributes.names.append(key)
            switch key {
            case "stride": attributes.stride = try parsePair()
            case "size": attributes.size = try parsePair()
            case "padding": attributes.padding = try parsePadding()
            case "activation":
                attributes.activation = try parseChoice(
                    key, Activation.allCases.map { ($0.rawValue, $0) }, at: start)
            case "convention":
                attributes.convention = try parseChoice(
                    key, MomentumRule.Convention.allCases.map { ($0.rawValue, $0) }, at: start)
            case "nesterov":
                attributes.nesterov = try parseChoice(
                    key, [("true", true), ("false", false)], at: start)
            case "top", "index", "interval": attributes.integers[key] = try reader.integer()
            case "mean": attributes.mean = try parseNumbers()
            case "deviation": attributes.deviation = try parseNumbers()
            case "epsilon", "smoothing", "maximum", "coefficient", "weightDecay", "momentum",
                "growth", "backoff":
                attributes.numbers[key] = try reader.number()
            default: throw reader.error("there is no attribute \(key)", at: start)
            }
        }
        return attributes
    }

    /// One of a few words.
    private mutating func parseChoice<Choice>(
        _ key: String, _ choices: [(word: String, choice: Choice)],
        at start: GraphTextReader.Position
    ) throws(GraphError) -> Choice {
        let word = try reader.word()
        guard let found = choices.first(where: { $0.word == word }) else {
            let words = choices.map(\.word).joined(separator: " or ")
            throw reader.error("expected \(key) \(words), found \(word)", at: start)
        }
        return found.choice
    }

    private mutating func parsePadding() throws(GraphError) -> Padding {
        let top = try reader.integer()
        try reader.expect(",")
        let left = try reader.integer()
        try reader.expect(",")
        let bottom = try reader.integer()
        try reader.expect(",")
        let right = try reader.integer()
        return Padding(top: top, left: left, bottom: bottom, right: right)
    }

    private mutating func parsePair() throws(GraphError) -> Spatial {
        let height = try reader.integer()
        try reader.expect("x")
        return Spatial(height: height, width: try reader.integer())
    }

    private mutating func parseNumbers() throws(GraphError) -> [Double] {
        var numbers = [try reader.number()]
        while reader.consume(",") { numbers.append(try reader.number()) }
        return numbers
    }

    /// `: float32[1, 64, 56, 56]`.
    private mutating func parseType() throws(GraphError) -> TensorType {
        try reader.expect(":")
        let start = reader.position
        let word = try reader.word()
        guard let elementType = ElementType(rawValue: word) else {
            throw reader.error("expected an element type such as float32, found \(word)", at: start)
        }
        try reader.expect("[")
        var dimensions: [Int] = []
        if !reader.consume("]") {
            dimensions.append(try reader.integer())
            while !reader.consume("]") {
                try reader.expect(",")
                dimensions.append(try reader.integer())
            }
        }
        do {
            return TensorType(elementType, try Shape(validating: dimensions))
        } catch {
            throw reader.error(error.message, at: start)
        }
    }
}
