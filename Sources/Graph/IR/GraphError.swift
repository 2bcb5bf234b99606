/// A graph that cannot be built, rewritten, or read from text.
public struct GraphError: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public enum Code: String, Sendable, CaseIterable {
        /// An operand has another number of axes than the operation takes.
        case rankMismatch
        /// Extents of operands do not fit each other.
        case shapeMismatch
        /// Element types of operands do not fit the operation.
        case elementTypeMismatch
        /// An operation has more or fewer operands than it takes.
        case operandCountMismatch
        /// An attribute is out of its range.
        case invalidAttribute
        /// A value is used before it is made, or belongs to another graph.
        case unknownValue
        /// Two inputs, parameters or outputs share a name.
        case duplicateName
        /// Nothing is marked as an output.
        case missingOutput
        /// A pass was not given the tensor of a parameter.
        case missingParameter
        /// Text does not follow the grammar.
        case syntax
    }

    /// What went wrong.
    public let code: Code
    /// What a person reads: the node, what was expected, what was found.
    public let message: String

    /// Makes an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
