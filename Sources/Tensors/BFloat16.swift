/// A bfloat16 number: the upper half of a float32.
public struct BFloat16: Sendable, Hashable, BitwiseCopyable {
    /// The sixteen bits: sign, 8 exponent, 7 mantissa.
    public let bitPattern: UInt16

    /// Makes a number of its bits.
    public init(bitPattern: UInt16) { self.bitPattern = bitPattern }

    /// Rounds to the nearest, ties to even; not-a-number stays one.
    public init(_ value: Float) {
        let bits = value.bitPattern
        if value.isNaN {
            bitPattern = UInt16(truncatingIfNeeded: bits >> 16) | 0x40
        } else {
            bitPattern = UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
        }
    }

    /// The same number as a float32, exactly.
    public var float: Float { Float(bitPattern: UInt32(bitPattern) << 16) }
}
