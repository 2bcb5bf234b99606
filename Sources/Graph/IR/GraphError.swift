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
        /// An update names a state that the graph does not have.
        case unknownState
        /// Two inputs, parameters, states, outputs or updates share a name.
        case duplicateName
        /// Nothing is marked as an output or an update.
        case missingOutput
        /// A pass was not given the tensor of a parameter.
        case missingParameter
        /// A gradient is needed where there is no rule for it, or of what the loss does not depend on.
        case missingGradient
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
