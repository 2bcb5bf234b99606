/// Colours for numbers: 256 steps that look equally far apart.
///
/// Lightness grows evenly while the hue turns from purple over blue and green to yellow, in the space OKLab,
/// which is made so that equal steps look equal.
/// Source: B. Ottosson 2020, "A perceptual color space for image processing", for OKLab; IEC 61966-2-1 for
/// sRGB.
enum ColorScale {
    /// From dark purple at 0 to light yellow at 255, each red, green, blue.
    static let heat: [[UInt8]] = (0..<256).map { step in
        let position = Double(step) / 255
        let degrees = 305 - 200 * position
        let chroma = 0.13 + 0.03 * position
        let hue = degrees * Double.pi / 180
        return rgb(
            lightness: 0.28 + 0.63 * position, a: chroma * cosine(hue), b: chroma * sine(hue))
    }

    private static func rgb(lightness: Double, a: Double, b: Double) -> [UInt8] {
        func cubed(_ value: Double) -> Double { value * value * value }
        let long = cubed(lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b)
        let medium = cubed(lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b)
        let short = cubed(lightness - 0.089_484_177_5 * a - 1.291_485_548_0 * b)
        let linear = [
            4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short,
            -1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short,
            -0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701_0 * short,
        ]
        return linear.map { value in
            let bounded = max(0, min(1, value))
            let encoded =
                bounded <= 0.003_130_8
                ? 12.92 * bounded : 1.055 * power(bounded, 1 / 2.4) - 0.055
            return UInt8((encoded * 255).rounded())
        }
    }
}
