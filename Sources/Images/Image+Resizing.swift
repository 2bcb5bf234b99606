import Native

extension Image {
    /// The whole picture in another size, by an antialiased bilinear filter.
    ///
    /// Pixels are those of Pillow's `resize` with `BILINEAR`.
    ///
    /// - Throws: `ImageError` with code `.invalidArgument` or `.resourceExhausted`.
    public func resized(width: Int, height: Int) throws(ImageError) -> Image {
        try resampled(
            toWidth: width, height: height, columns: 0..<max(width, 0), rows: 0..<max(height, 0))
    }

    /// A part of the picture in another size; what lies outside the part is never computed.
    ///
    /// Source: the two passes of Pillow 13, with 8 bits in between: along rows first, except where the height
    /// shrinks by more than twice what the width does. Before version 13 the order was always the first one;
    /// pixels then differ by at most 1.
    ///
    /// - Parameters:
    ///   - scaledWidth: the width that the whole picture is resized to.
    ///   - scaledHeight: the height that the whole picture is resized to.
    ///   - columns: the part's columns, inside the resized picture and not empty.
    ///   - rows: the part's rows, inside the resized picture and not empty.
    func resampled(
        toWidth scaledWidth: Int, height scaledHeight: Int, columns: Range<Int>, rows: Range<Int>
    ) throws(ImageError) -> Image {
        var target = try Image.reserve(width: columns.count, height: rows.count)
        let acrossRows = ResamplingWindows.bilinear(
            inputCount: height, scaledCount: scaledHeight, outputs: rows)
        let acrossColumns = ResamplingWindows.bilinear(
            inputCount: width, scaledCount: scaledWidth, outputs: columns)
        if scaledWidth == width {
            Resampling.resampleColumns(
                of: pixels, columns: columns, width: width, windows: acrossRows, into: &target)
        } else if height > scaledHeight, height - scaledHeight > 2 * (width - scaledWidth) {
            let needed = acrossColumns.inputRange
            var low = try Image.reserve(width: needed.count, height: rows.count)
            Resampling.resampleColumns(
                of: pixels, columns: needed, width: width, windows: acrossRows, into: &low)
            Resampling.resampleRows(
                of: low.finish(), rows: 0..<rows.count, windows: acrossColumns.overInputs(needed),
                into: &target)
        } else {
            let needed = acrossRows.inputRange
            var narrow = try Image.reserve(width: columns.count, height: needed.count)
            Resampling.resampleRows(
                of: pixels, rows: needed, windows: acrossColumns, into: &narrow)
            Resampling.resampleColumns(
                of: narrow.finish(), columns: 0..<columns.count, width: columns.count,
                windows: acrossRows.overInputs(needed), into: &target)
        }
        return Image(
            width: columns.count, height: rows.count, pixels: target.finish(), format: format,
            orientation: orientation, damage: damage)
    }
}

extension ResamplingWindows {
    /// The windows of an antialiased bilinear filter, as Pillow computes them.
    ///
    /// - Parameters:
    ///   - inputCount: the pixels along this side.
    ///   - scaledCount: the pixels that the whole side is resized to.
    ///   - outputs: those of them to compute.
    static func bilinear(
        inputCount: Int, scaledCount: Int, outputs: Range<Int>
    ) -> ResamplingWindows {
        let scale = Double(inputCount) / Double(scaledCount)
        // The filter is a triangle as wide as an output pixel, and at least as an input pixel.
        let support = max(scale, 1)
        let stride = Int(support.rounded(.up)) * 2 + 1
        var starts: [Int32] = []
        var counts: [Int32] = []
        var weights = [Int32](repeating: 0, count: outputs.count * stride)
        var values = [Double](repeating: 0, count: stride)
        starts.reserveCapacity(outputs.count)
        counts.reserveCapacity(outputs.count)
        for output in outputs {
            let center = (Double(output) + 0.5) * scale
            let first = max(Int(center - support + 0.5), 0)
            let end = min(Int(center + support + 0.5), inputCount)
            let count = end - first
            var sum = 0.0
            for tap in 0..<count {
                let distance = abs((Double(tap + first) - center + 0.5) * (1 / support))
                values[tap] = distance < 1 ? 1 - distance : 0
                sum += values[tap]
            }
            let offset = (output - outputs.lowerBound) * stride
            for tap in 0..<count {
                weights[offset + tap] = Int32(0.5 + values[tap] / sum * Double(1 << 22))
            }
            starts.append(Int32(first))
            counts.append(Int32(count))
        }
        return ResamplingWindows(
            inputCount: inputCount, weightStride: stride, starts: starts, counts: counts,
            weights: weights)
    }

    /// The inputs that any output needs.
    var inputRange: Range<Int> {
        // Windows move to the right with their outputs.
        guard let first = starts.first, let start = starts.last, let count = counts.last else {
            return 0..<0
        }
        return Int(first)..<Int(start) + Int(count)
    }

    /// The same windows over a part of their inputs, which holds all that they need.
    func overInputs(_ inputs: Range<Int>) -> ResamplingWindows {
        ResamplingWindows(
            inputCount: inputs.count, weightStride: weightStride,
            starts: starts.map { $0 - Int32(inputs.lowerBound) }, counts: counts, weights: weights)
    }
}
