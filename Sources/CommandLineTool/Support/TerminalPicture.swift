package import Images
import Native

/// A picture as rows of half blocks in 24-bit colour: each letter shows one pixel above another.
///
/// - Parameters:
///   - image: the picture.
///   - columns: how many letters wide; its height follows from its shape, a letter being twice as high as
///     wide.
/// - Returns: one text a row, each ending with the colours set back.
package func terminalPicture(_ image: Image, columns: Int) -> [String] {
    let columns = max(1, min(columns, image.width))
    let lines = max(1, image.height * columns / max(1, image.width))
    let rowCount = (lines + 1) / 2
    let pixels = image.pixels.bytes

    /// The mean colour of the picture's part that one half block shows; `nil` below the picture.
    func color(_ column: Int, _ line: Int) -> (red: Int, green: Int, blue: Int)? {
        guard line < lines else { return nil }
        let top = line * image.height / lines
        let bottom = max(top + 1, (line + 1) * image.height / lines)
        let left = column * image.width / columns
        let right = max(left + 1, (column + 1) * image.width / columns)
        var (red, green, blue) = (0, 0, 0)
        for row in top..<bottom {
            for place in left..<right {
                let at = (row * image.width + place) * 3
                red += Int(pixels[at])
                green += Int(pixels[at + 1])
                blue += Int(pixels[at + 2])
            }
        }
        let count = (bottom - top) * (right - left)
        return (red / count, green / count, blue / count)
    }

    return (0..<rowCount).map { row in
        var text = ""
        for column in 0..<columns {
            guard let upper = color(column, row * 2) else { continue }
            text += "\u{1B}[38;2;\(upper.red);\(upper.green);\(upper.blue)"
            if let lower = color(column, row * 2 + 1) {
                text += ";48;2;\(lower.red);\(lower.green);\(lower.blue)"
            } else {
                text += ";49"
            }
            text += "m▀"
        }
        return text + "\u{1B}[0m"
    }
}
