import Native

/// Operations that give each pixel a new value by itself or by the picture's histogram.
///
/// Source: Pillow 13, `ImageOps`; equal to the byte.
extension Image {
    /// The negative.
    package func inverted() throws(ImageError) -> Image {
        try tabled { value in 255 - value }
    }

    /// Keeps the highest bits of each channel.
    ///
    /// - Parameter bits: 1 to 8.
    package func posterized(bits: Int) throws(ImageError) -> Image {
        let mask = UInt8(truncatingIfNeeded: 0xFF << (8 - min(max(bits, 0), 8)))
        return try tabled { value in value & mask }
    }

    /// Inverts what is as bright as the threshold or brighter, 0 to 255.
    package func solarized(threshold: Double) throws(ImageError) -> Image {
        try tabled { value in Double(value) < threshold ? value : 255 - value }
    }

    /// Stretches each channel to 0...255.
    package func autocontrasted() throws(ImageError) -> Image {
        let counts = histograms()
        return try mapped(
            (0..<3).map { channel in
                let count = counts[channel]
                let low = count.firstIndex { $0 > 0 } ?? 0
                let high = count.lastIndex { $0 > 0 } ?? 0
                guard high > low else { return Self.identityTable }
                let scale = 255.0 / Double(high - low)
                let offset = -Double(low) * scale
                return (0..<256).map { UInt8(min(max(Int(Double($0) * scale + offset), 0), 255)) }
            })
    }

    /// Makes each channel's histogram as flat as may be.
    package func equalized() throws(ImageError) -> Image {
        let counts = histograms()
        return try mapped(
            (0..<3).map { channel in
                let count = counts[channel]
                let present = count.filter { $0 > 0 }
                let step = (present.reduce(0, +) - (present.last ?? 0)) / 255
                guard present.count > 1, step > 0 else { return Self.identityTable }
                var sum = step / 2
                return count.map { count in
                    defer { sum += count }
                    return UInt8(min(sum / step, 255))
                }
            })
    }

    private static let identityTable = (0..<256).map { UInt8($0) }

    /// How many pixels have each value, for each channel.
    private func histograms() -> [[Int]] {
        var counts = [Int](repeating: 0, count: 3 * 256)
        let source = pixels.bytes
        for pixel in 0..<width * height {
            for channel in 0..<3 { counts[channel << 8 | Int(source[3 * pixel + channel])] += 1 }
        }
        return (0..<3).map { Array(counts[$0 << 8..<($0 + 1) << 8]) }
    }

    /// Gives each value another one, in all channels alike.
    func tabled(_ value: (UInt8) -> UInt8) throws(ImageError) -> Image {
        let table = (0..<256).map { value(UInt8($0)) }
        return try filled { source, target in
            for place in source.indices { target[place] = table[Int(source[place])] }
        }
    }

    /// Looks each channel's values up in a table of its own.
    private func mapped(_ tables: [[UInt8]]) throws(ImageError) -> Image {
        let table = tables.flatMap { $0 }
        return try filled { source, target in
            for pixel in 0..<source.count / 3 {
                for channel in 0..<3 {
                    let place = 3 * pixel + channel
                    target[place] = table[channel << 8 | Int(source[place])]
                }
            }
        }
    }

    /// A picture of the same size whose pixels are written by a function of this one's.
    func filled(
        _ write: (_ source: Span<UInt8>, _ target: inout MutableSpan<UInt8>) -> Void
    ) throws(ImageError) -> Image {
        var target = try Image.reserve(width: width, height: height)
        var span = target.mutableSpan(of: UInt8.self)
        write(pixels.bytes, &span)
        return Image(
            width: width, height: height, pixels: target.finish(), format: format,
            orientation: orientation, damage: damage)
    }
}
