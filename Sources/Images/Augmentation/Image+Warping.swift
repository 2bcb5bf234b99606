import Glibc
import Native

/// Shears, shifts and rotations by the nearest pixel, black where there is none.
///
/// Source: torchvision 0.28, `functional.affine` and `functional.rotate` over Pillow 13; equal to the byte.
extension Image {
    /// Shears along rows about the top left corner: the row below is `slope` pixels further.
    package func sheared(alongRows slope: Double) throws(ImageError) -> Image {
        let tangent = tan((atan(slope) * 180 / .pi) * .pi / 180)
        return try warped([1, tangent, 0, 0, 1, 0])
    }

    /// Shears along columns about the top left corner.
    package func sheared(alongColumns slope: Double) throws(ImageError) -> Image {
        let angle = (atan(slope) * 180 / .pi) * .pi / 180
        // As torchvision computes the inverse of the matrix, whose other elements are 1 and 0.
        let (a, c) = (cos(-angle) / cos(angle), sin(-angle) / cos(angle))
        return try warped([1, 0, 0, -c, a, 0])
    }

    /// Shifts to the right and down, by whole pixels.
    package func shifted(right: Int, down: Int) throws(ImageError) -> Image {
        try warped([1, 0, -Double(right), 0, 1, -Double(down)])
    }

    /// Rotates about the middle, counter-clockwise, keeping the size.
    package func rotated(degrees: Double) throws(ImageError) -> Image {
        var turn = fmod(degrees, 360)
        if turn < 0 { turn += 360 }
        switch turn {
        case 0: return self
        case 180: return try turned(3)
        case 90 where width == height: return try turned(8)
        case 270 where width == height: return try turned(6)
        default: break
        }
        // Pillow rounds both to 15 decimals.
        let angle = -(turn * .pi / 180)
        let cosine = (cos(angle) * 1e15).rounded(.toNearestOrEven) / 1e15
        let sine = (sin(angle) * 1e15).rounded(.toNearestOrEven) / 1e15
        let (x, y) = (Double(width) / 2, Double(height) / 2)
        return try warped([
            cosine, sine, cosine * -x + sine * -y + 0 + x,
            -sine, cosine, -sine * -x + cosine * -y + 0 + y,
        ])
    }

    /// The picture turned as an EXIF orientation says.
    private func turned(_ orientation: Int) throws(ImageError) -> Image {
        let stored = Image(
            width: width, height: height, pixels: pixels, format: format, orientation: orientation,
            damage: damage)
        let upright = try stored.upright()
        return Image(
            width: upright.width, height: upright.height, pixels: upright.pixels, format: format,
            orientation: self.orientation, damage: damage)
    }

    /// Takes each pixel from where the matrix puts its centre.
    ///
    /// Source: Pillow 13, `ImagingTransformAffine`: in 16.16 fixed point, or in float64 where nothing is sheared.
    ///
    /// - Parameter matrix: `x = m0 * x' + m1 * y' + m2`, `y = m3 * x' + m4 * y' + m5`, of the result's places.
    private func warped(_ matrix: [Double]) throws(ImageError) -> Image {
        let (width, height) = (width, height)
        let isScaling = matrix[1] == 0 && matrix[3] == 0
        func fixed(_ value: Double) -> Int { Int((value * 65536 + 0.5).rounded(.down)) }
        let (stepX, stepY) = (fixed(matrix[0]), fixed(matrix[3]))
        let (downX, downY) = (fixed(matrix[1]), fixed(matrix[4]))
        let startX = fixed(matrix[2] + matrix[0] * 0.5 + matrix[1] * 0.5)
        let startY = fixed(matrix[5] + matrix[3] * 0.5 + matrix[4] * 0.5)
        return try filled { source, target in
            for y in 0..<height {
                var (fromX, fromY) = (startX + y * downX, startY + y * downY)
                for x in 0..<width {
                    let (column, row) =
                        isScaling
                        ? (
                            Self.place(matrix[2], matrix[0], x),
                            Self.place(matrix[5], matrix[4], y)
                        )
                        : (fromX >> 16, fromY >> 16)
                    let to = 3 * (y * width + x)
                    let isInside = column >= 0 && column < width && row >= 0 && row < height
                    let from = 3 * (row * width + column)
                    for channel in 0..<3 {
                        target[to + channel] = isInside ? source[from + channel] : 0
                    }
                    fromX += stepX
                    fromY += stepY
                }
            }
        }
    }

    /// The pixel that holds the centre of another, after scaling and shifting.
    private static func place(_ offset: Double, _ scale: Double, _ index: Int) -> Int {
        Int((offset + scale * (Double(index) + 0.5)).rounded(.down))
    }
}
