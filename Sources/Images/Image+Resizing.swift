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

    /// A part of the picture in another size.
    ///
    /// Pixels are those of Pillow's `crop` and then `resize` with `BILINEAR`, and `transpose(FLIP_LEFT_RIGHT)` where
    /// it is mirrored. What lies outside the part plays no role.
    ///
    /// - Parameters:
    ///   - box: the part.
    ///   - width: of the result.
    ///   - height: of the result.
    ///   - isMirrored: whether left and right change places.
    /// - Throws: `ImageError` with code `.invalidArgument` or `.resourceExhausted`.
    public func resized(
        _ box: PixelBox, width: Int, height: Int, isMirrored: Bool = false
    ) throws(ImageError) -> Image {
        guard box.fits(width: self.width, height: self.height) else {
            throw ImageError(
                .invalidArgument,
                "a part of \(box.width) x \(box.height) pixels at \(box.x), \(box.y): expected one that "
                    + "lies in \(self.width) x \(self.height) pixels")
        }
        return try resampled(
            box, toWidth: width, height: height, columns: 0..<max(width, 0),
            rows: 0..<max(height, 0), isMirrored: isMirrored)
    }

    /// A part of the picture in another size, of which again a part is computed.
    ///
    /// Source: the two passes of Pillow 13, with 8 bits in between: along rows first, except where the height
    /// shrinks by more than twice what the width does. Before version 13 the order was always the first one;
    /// pixels then differ by at most 1.
    ///
    /// - Parameters:
    ///   - box: the part that is resized; all where there is none.
    ///   - inner: what of the part is resized, where its edges do not lie between pixels; Pillow's `box`.
    ///   - scaledWidth: the width that it is resized to.
    ///   - scaledHeight: the height that it is resized to.
    ///   - columns: the columns to compute, inside the resized part and not empty.
    ///   - rows: the rows to compute, inside the resized part and not empty.
    ///   - isMirrored: whether the computed columns come from right to left.
    func resampled(
        _ box: PixelBox? = nil, inner: InnerBox? = nil, toWidth scaledWidth: Int,
        height scaledHeight: Int, columns: Range<Int>, rows: Range<Int>, isMirrored: Bool = false
    ) throws(ImageError) -> Image {
        var target = try Image.reserve(width: columns.count, height: rows.count)
        let box = box ?? PixelBox(wholeOf: self)
        let acrossRows = ResamplingWindows.bilinear(
            inputCount: box.height, taking: inner.map { ($0.y, $0.height) },
            scaledCount: scaledHeight, outputs: rows
        ).placed(at: box.y, of: height)
        var acrossColumns = ResamplingWindows.bilinear(
            inputCount: box.width, taking: inner.map { ($0.x, $0.width) },
            scaledCount: scaledWidth, outputs: columns
        ).placed(at: box.x, of: width)
        let neededColumns = acrossColumns.inputRange
        if isMirrored { acrossColumns = acrossColumns.reversed }
        if scaledWidth == box.width, box.width == width, inner == nil, !isMirrored {
            Resampling.resampleColumns(
                of: pixels, columns: columns, width: width, windows: acrossRows, into: &target)
        } else if box.height - scaledHeight > max(0, 2 * (box.width - scaledWidth)) {
            var low = try Image.reserve(width: neededColumns.count, height: rows.count)
            Resampling.resampleColumns(
                of: pixels, columns: neededColumns, width: width, windows: acrossRows, into: &low)
            Resampling.resampleRows(
                of: low.finish(), rows: 0..<rows.count,
                windows: acrossColumns.overInputs(neededColumns), into: &target)
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

/// A rectangle whose edges may lie inside pixels.
struct InnerBox {
    let x: Double
    let y: Double
    let width: Double
    let height: Double
}

extension ResamplingWindows {
    /// The windows of an antialiased bilinear filter, as Pillow computes them.
    ///
    /// - Parameters:
    ///   - inputCount: the pixels along this side.
    ///   - part: where what is resized begins, and how long it is; the whole side where it is `nil`.
    ///   - scaledCount: the pixels that this is resized to.
    ///   - outputs: those of them to compute.
    static func bilinear(
        inputCount: Int, taking part: (start: Double, extent: Double)? = nil, scaledCount: Int,
        outputs: Range<Int>
    ) -> ResamplingWindows {
        let (origin, extent) = part ?? (0, Double(inputCount))
        let scale = extent / Double(scaledCount)
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
            let center = origin + (Double(output) + 0.5) * scale
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

    /// The same windows over inputs of which theirs are a part.
    func placed(at start: Int, of inputCount: Int) -> ResamplingWindows {
        if start == 0, inputCount == self.inputCount { return self }
        return ResamplingWindows(
            inputCount: inputCount, weightStride: weightStride,
            starts: starts.map { $0 + Int32(start) }, counts: counts, weights: weights)
    }

    /// The same windows, the last output first.
    var reversed: ResamplingWindows {
        var turned: [Int32] = []
        turned.reserveCapacity(weights.count)
        for output in (0..<outputCount).reversed() {
            turned += weights[output * weightStride..<(output + 1) * weightStride]
        }
        return ResamplingWindows(
            inputCount: inputCount, weightStride: weightStride, starts: starts.reversed(),
            counts: counts.reversed(), weights: turned)
    }

    /// The same windows over a part of their inputs, which holds all that they need.
    func overInputs(_ inputs: Range<Int>) -> ResamplingWindows {
        ResamplingWindows(
            inputCount: inputs.count, weightStride: weightStride,
            starts: starts.map { $0 - Int32(inputs.lowerBound) }, counts: counts, weights: weights)
    }
}
