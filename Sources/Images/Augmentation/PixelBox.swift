/// A rectangle of a picture's pixels.
public struct PixelBox: Sendable, Hashable {
    /// Pixels left of it.
    public let x: Int
    /// Pixels above it.
    public let y: Int
    /// Pixels from its left to its right, at least 1.
    public let width: Int
    /// Pixels from its top to its bottom, at least 1.
    public let height: Int

    /// Makes a rectangle.
    ///
    /// - Precondition: it is not empty and does not begin outside the picture.
    public init(x: Int, y: Int, width: Int, height: Int) {
        precondition(x >= 0 && y >= 0 && width >= 1 && height >= 1, "no rectangle of pixels")
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    /// All of a picture.
    public init(wholeOf image: Image) {
        self.init(x: 0, y: 0, width: image.width, height: image.height)
    }

    /// Whether it lies in a picture of this size.
    public func fits(width: Int, height: Int) -> Bool {
        x + self.width <= width && y + self.height <= height
    }
}
