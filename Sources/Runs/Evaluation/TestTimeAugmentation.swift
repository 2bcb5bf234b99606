import Native
import Tensors

/// Which views of a picture are looked at; the probabilities of all are averaged.
///
/// Source of the crops: Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural
/// networks", section 4.1: the corners and the middle of the central square, and their mirror images.
public enum TestTimeAugmentation: String, Codable, Sendable, Hashable, CaseIterable {
    /// The middle alone.
    case none
    /// The middle and its mirror image.
    case flip
    /// The four corners of the central square of the resized picture, and its middle.
    case fiveCrop = "five-crop"
    /// The five crops and their mirror images.
    case tenCrop = "ten-crop"

    /// A part of a picture, perhaps mirrored.
    struct View: Hashable {
        /// The first row.
        var top: Int
        /// The first column.
        var left: Int
        /// Whether left and right change places.
        var isMirrored = false
    }

    /// Whether views reach beyond the middle of the picture.
    var needsSurroundings: Bool { self == .fiveCrop || self == .tenCrop }

    /// The views of a square picture.
    ///
    /// - Parameters:
    ///   - side: the picture's sides.
    ///   - crop: a view's sides, at most `side`.
    func views(side: Int, crop: Int) -> [View] {
        let rest = side - crop
        let middle = View(top: rest / 2, left: rest / 2)
        let corners = [0, rest].flatMap { top in
            [0, rest].map { left in View(top: top, left: left) }
        }
        let plain: [View] = needsSurroundings ? corners + [middle] : [middle]
        guard self == .flip || self == .tenCrop else { return plain }
        return plain
            + plain.map { View(top: $0.top, left: $0.left, isMirrored: true) }
    }
}

extension TestTimeAugmentation.View {
    /// Cuts the view out of each picture of a batch.
    ///
    /// - Parameters:
    ///   - images: uint8 `[N, side, side, 3]`.
    ///   - crop: both sides of the result.
    ///   - batch: how many pictures the result has; those that there are none for are black.
    /// - Returns: uint8 `[batch, crop, crop, 3]`.
    func cut(
        from images: HostTensor, crop: Int, batch: Int
    ) throws -> HostTensor {
        let (count, side) = (images.shape[0], images.shape[1])
        let shape: Shape = [batch, crop, crop, 3]
        if count == batch, side == crop, !isMirrored { return images }
        var memory = try MutableMemory(reserving: shape.elementCount)
        var target = memory.mutableSpan(of: UInt8.self)
        let source = images.memory.bytes
        for picture in 0..<count {
            for row in 0..<crop {
                let start = ((picture * side + top + row) * side + left) * 3
                var place = (picture * crop + row) * crop * 3
                if isMirrored {
                    for column in 0..<crop {
                        let pixel = start + (crop - 1 - column) * 3
                        target[place] = source[pixel]
                        target[place + 1] = source[pixel + 1]
                        target[place + 2] = source[pixel + 2]
                        place += 3
                    }
                } else {
                    for index in 0..<crop * 3 { target[place + index] = source[start + index] }
                }
            }
        }
        return try HostTensor(elementType: .uint8, shape: shape, memory: memory.finish())
    }
}
