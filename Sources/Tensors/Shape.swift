/// The extents of a tensor, outermost axis first; none for a scalar.
public struct Shape: Sendable, Hashable, ExpressibleByArrayLiteral, CustomStringConvertible {
    /// The extents, none negative.
    public let dimensions: [Int]
    /// The product of the extents.
    public let elementCount: Int

    /// Makes a shape of extents known to be sensible.
    ///
    /// - Precondition: no extent is negative and the product fits; `init(validating:)` throws instead.
    public init(_ dimensions: [Int]) {
        do {
            try self.init(validating: dimensions)
        } catch {
            preconditionFailure(error.message)
        }
    }

    /// Makes a shape of extents.
    public init(arrayLiteral elements: Int...) { self.init(elements) }

    /// Makes a shape of extents that come from outside.
    ///
    /// - Throws: `TensorError` with code `.invalidShape` where an extent is negative or the product overflows.
    public init(validating dimensions: [Int]) throws(TensorError) {
        var count = 1
        for extent in dimensions {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard extent >= 0, !overflow else {
                throw TensorError(
                    .invalidShape,
                    "shape \(dimensions): expected extents of at least 0, their product within 63 bits"
                )
            }
            count = product
        }
        self.dimensions = dimensions
        elementCount = count
    }

    /// The same extents in another order.
    ///
    /// Their product is known: multiplied anew, extents of an empty tensor might overflow before the 0 is reached.
    ///
    /// - Precondition: `order` names each axis once.
    func reordered(_ order: [Int]) -> Shape {
        Shape(trusted: order.map { dimensions[$0] }, elementCount: elementCount)
    }

    private init(trusted dimensions: [Int], elementCount: Int) {
        self.dimensions = dimensions
        self.elementCount = elementCount
    }

    /// The number of axes.
    public var rank: Int { dimensions.count }

    /// The extent of an axis.
    public subscript(axis: Int) -> Int { dimensions[axis] }

    /// The extents in brackets, as in `[8, 3, 224, 224]`.
    public var description: String {
        "[" + dimensions.map(String.init).joined(separator: ", ") + "]"
    }
}
