import Datasets
import Images
import Native
import Tensors

/// Small pictures as files hold them, each of its own content.
enum DrawnPictures {
    /// Pixels of smooth noise that a number determines.
    static func image(_ number: Int, width: Int = 12, height: Int = 10) throws -> Image {
        var random = RandomGenerator(seed: 5, stream: UInt64(number))
        let start = (0..<3).map { _ in Double(random.next() % 200) }
        let slope = (0..<6).map { _ in random.nextUniform(in: -4..<4) }
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                for channel in 0..<3 {
                    let value =
                        start[channel] + slope[2 * channel] * Double(x)
                        + slope[2 * channel + 1] * Double(y)
                    pixels.append(UInt8(max(0, min(255, value))))
                }
            }
        }
        return try Image(width: width, height: height, pixels: pixels)
    }

    /// A JPEG.
    static func jpeg(_ number: Int, width: Int = 12, height: Int = 10) throws -> [UInt8] {
        bytesOf(try encodeJPEG(try image(number, width: width, height: height)))
    }

    /// A PNG.
    static func png(_ number: Int, width: Int = 12, height: Int = 10) throws -> [UInt8] {
        bytesOf(try encodePNG(try image(number, width: width, height: height)))
    }
}

extension Dataset {
    /// Names and classes of the samples, in order.
    var listing: [String] { samples.map { "\($0.name) \(classNames[$0.label])" } }

    /// The encoded bytes of a sample's picture.
    func bytes(_ position: Int) throws -> [UInt8] {
        guard case .encoded(let memory) = try source.content(of: samples[position]) else {
            return []
        }
        return bytesOf(memory)
    }
}

/// The code with which something fails, or `nil` where it does not.
func code(_ body: () throws -> Void) -> DatasetError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? DatasetError)?.code
    }
}

/// The message with which something fails, or an empty text where it does not.
func message(_ body: () throws -> Void) -> String {
    do {
        try body()
        return ""
    } catch {
        return "\(error)"
    }
}
