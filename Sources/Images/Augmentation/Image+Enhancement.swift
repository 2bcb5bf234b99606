import Glibc
import Native

/// Brightness, contrast, saturation, sharpness and hue: the picture mixed with a duller one of itself.
///
/// A factor of 0 gives the duller picture, 1 this one, more exaggerates. Source: Pillow 13, `ImageEnhance`, and
/// torchvision 0.28 for the hue; equal to the byte.
extension Image {
    /// Mixes with black.
    package func brightened(by factor: Double) throws(ImageError) -> Image {
        guard factor != 1 else { return self }
        return try tabled { value in Self.mixed(0, value, Float(factor)) }
    }

    /// Mixes with the mean grey.
    package func contrasted(by factor: Double) throws(ImageError) -> Image {
        guard factor != 1 else { return self }
        var sum = 0
        let source = pixels.bytes
        for pixel in 0..<width * height { sum += Int(Self.luminance(source, pixel)) }
        let mean = UInt8(Double(sum) / Double(width * height) + 0.5)
        return try tabled { value in Self.mixed(mean, value, Float(factor)) }
    }

    /// Mixes with the grey picture.
    package func saturated(by factor: Double) throws(ImageError) -> Image {
        guard factor != 1 else { return self }
        let share = Float(factor)
        return try filled { source, target in
            for pixel in 0..<source.count / 3 {
                let grey = Self.luminance(source, pixel)
                for place in 3 * pixel..<3 * pixel + 3 {
                    target[place] = Self.mixed(grey, source[place], share)
                }
            }
        }
    }

    /// Mixes with the picture smoothed by 1 1 1, 1 5 1, 1 1 1 over 13; the outermost pixels stay.
    package func sharpened(by factor: Double) throws(ImageError) -> Image {
        guard factor != 1 else { return self }
        let (share, width, height) = (Float(factor), width, height)
        return try filled { source, target in
            let stride = 3 * width
            for y in 0..<height {
                for place in y * stride..<(y + 1) * stride {
                    let x = place - y * stride
                    guard y > 0, y + 1 < height, x >= 3, x + 3 < stride else {
                        target[place] = source[place]
                        continue
                    }
                    var sum = 4 * Int32(source[place])
                    for row in -1...1 {
                        let middle = place + row * stride
                        sum +=
                            Int32(source[middle - 3]) + Int32(source[middle])
                            + Int32(source[middle + 3])
                    }
                    // Rounded to nearest: no sum lies halfway between two multiples of 13.
                    let smooth = UInt8(truncatingIfNeeded: (2 * sum + 13) / 26)
                    target[place] = Self.mixed(smooth, source[place], share)
                }
            }
        }
    }

    /// Turns every hue.
    ///
    /// - Parameter share: of the whole circle, -0.5 to 0.5.
    package func hueShifted(by share: Double) throws(ImageError) -> Image {
        let turn = UInt8(truncatingIfNeeded: Int(share * 255))
        return try filled { source, target in
            for pixel in 0..<source.count / 3 {
                let place = 3 * pixel
                var color = HSV(
                    red: source[place], green: source[place + 1], blue: source[place + 2])
                color.hue &+= turn
                (target[place], target[place + 1], target[place + 2]) = color.rgb
            }
        }
    }

    /// Pillow's `L`: ITU-R 601-2 luma in 16-bit fixed point.
    static func luminance(_ source: Span<UInt8>, _ pixel: Int) -> UInt8 {
        let red = UInt32(source[3 * pixel]) * 19595
        let green = UInt32(source[3 * pixel + 1]) * 38470
        let blue = UInt32(source[3 * pixel + 2]) * 7471
        return UInt8(truncatingIfNeeded: (red + green + blue + 0x8000) >> 16)
    }

    /// Pillow's `blend` of two values, in float32, cut off rather than rounded.
    static func mixed(_ dull: UInt8, _ value: UInt8, _ share: Float) -> UInt8 {
        let sum = Float(dull) + share * Float(Int(value) - Int(dull))
        return UInt8(min(max(sum, 0), 255))
    }
}

/// A colour as Pillow's mode HSV has it, three bytes.
private struct HSV {
    var hue: UInt8
    var saturation: UInt8
    var value: UInt8

    /// Source: Pillow 13, `rgb2hsv_row`, with its float32 and float64 where they are there.
    init(red: UInt8, green: UInt8, blue: UInt8) {
        let high = max(red, green, blue)
        let low = min(red, green, blue)
        value = high
        guard high != low else {
            hue = 0
            saturation = 0
            return
        }
        let range = Float(high - low)
        let r = Float(high - red) / range
        let g = Float(high - green) / range
        let b = Float(high - blue) / range
        let sector: Float =
            if red == high {
                b - g
            } else if green == high {
                Float(2.0 + Double(r) - Double(b))
            } else {
                Float(4.0 + Double(g) - Double(r))
            }
        let turn = Float(fmod(Double(sector) / 6 + 1, 1))
        hue = UInt8(min(max(Int(Double(turn) * 255), 0), 255))
        saturation = UInt8(min(max(Int(Double(range / Float(high)) * 255), 0), 255))
    }

    /// Source: Pillow 13, `hsv2rgb`.
    var rgb: (UInt8, UInt8, UInt8) {
        guard saturation > 0 else { return (value, value, value) }
        let position = Double(Float(hue)) * 6 / 255
        let sector = Int(position)
        let rest = Float(position - Double(Float(sector)))
        let share = Float(Double(Float(saturation)) / 255)
        func level(_ factor: Double) -> UInt8 {
            UInt8(min(max(Int((Double(value) * factor).rounded()), 0), 255))
        }
        let p = level(1 - Double(share))
        let q = level(1 - Double(share * rest))
        let t = level(1 - Double(share) * (1 - Double(rest)))
        switch sector % 6 {
        case 0: return (value, t, p)
        case 1: return (q, value, p)
        case 2: return (p, value, t)
        case 3: return (p, q, value)
        case 4: return (t, p, value)
        default: return (value, p, q)
        }
    }
}
