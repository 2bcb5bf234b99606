/// A model that cannot be written in a format.
package struct ExportError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, for callers that branch.
    package enum Code: String, Sendable, CaseIterable {
        /// An option does not go with the format, or is out of its range.
        case invalidOption
        /// The format, or the element type, has no place for what the model has.
        case notRepresentable
        /// Something lies where the export was to go.
        case exists
    }

    /// What went wrong.
    package let code: Code
    /// What a person reads: the thing, what was expected, what was found, what to do.
    package let message: String

    /// Makes an error.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    package var description: String { message }
}
