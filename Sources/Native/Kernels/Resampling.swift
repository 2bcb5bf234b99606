internal import CKernels

/// Which inputs each output of a resampling pass sums, and with which weights.
public struct ResamplingWindows: Sendable {
    /// How many inputs a row or a column has.
    public let inputCount: Int
    /// How many outputs there are.
    public let outputCount: Int
    /// The first input of each output.
    public let starts: [Int32]
    /// The number of inputs of each output, at least 1.
    public let counts: [Int32]
    /// `weightStride` weights an output, in units of 2^-22; the ones beyond its count are unused.
    public let weights: [Int32]
    /// The distance between two outputs' weights.
    public let weightStride: Int

    /// Checks that every window lies in the input, its weights in 0...1 and their sum in 0...2.
    public init(
        inputCount: Int, weightStride: Int, starts: [Int32], counts: [Int32], weights: [Int32]
    ) {
        precondition(counts.count == starts.count, "one count an output")
        precondition(
            weights.count == starts.count * weightStride, "\(weightStride) weights an output")
        for index in starts.indices {
            precondition(
                starts[index] >= 0 && counts[index] >= 1
                    && Int(starts[index]) + Int(counts[index]) <= inputCount
                    && Int(counts[index]) <= weightStride, "window \(index) lies outside")
            var sum = 0
            for tap in 0..<Int(counts[index]) {
                let weight = weights[index * weightStride + tap]
                precondition((0...1 << 22).contains(weight), "weight of window \(index)")
                sum += Int(weight)
            }
            // The kernels add up in 32 bits.
            precondition(sum <= 1 << 23, "the weights of window \(index) add up to \(sum)")
        }
        self.inputCount = inputCount
        self.outputCount = starts.count
        self.starts = starts
        self.counts = counts
        self.weights = weights
        self.weightStride = weightStride
    }

    /// Calls `body` with the windows as the kernels take them; valid during the call only.
    fileprivate func withNative<Result>(_ body: (ckernels_resample_windows) -> Result) -> Result {
        unsafe starts.withUnsafeBufferPointer { starts in
            unsafe counts.withUnsafeBufferPointer { counts in
                unsafe weights.withUnsafeBufferPointer { weights in
                    // The arrays are alive during the nested calls.
                    unsafe body(
                        ckernels_resample_windows(
                            starts: starts.baseAddress, counts: counts.baseAddress,
                            weights: weights.baseAddress, weight_stride: weightStride,
                            output_count: outputCount))
                }
            }
        }
    }
}

/// Weighted sums of 8-bit samples along rows or columns, rounded to nearest.
public enum Resampling {
    /// Which code does the work; all give the same bytes.
    public enum Path: Int, Sendable, CaseIterable {
        /// C without vector instructions.
        case plain
        /// 256-bit vectors of x86.
        case avx2

        /// The fastest one that this processor has.
        public static let best = Path(rawValue: Int(ckernels_resample_best_path())) ?? .plain

        /// Whether this processor has it.
        public var isAvailable: Bool { rawValue <= Path.best.rawValue }
    }

    /// Resamples rows of RGB pixels.
    ///
    /// - Parameters:
    ///   - source: whole rows of `windows.inputCount` pixels without gaps.
    ///   - rows: the rows to resample.
    ///   - windows: what each output pixel sums.
    ///   - target: `rows.count * windows.outputCount * 3` bytes.
    ///   - path: the code to use.
    public static func resampleRows(
        of source: Memory, rows: Range<Int>, windows: ResamplingWindows,
        into target: inout MutableMemory, path: Path = .best
    ) {
        precondition(path.isAvailable, "the processor has no \(path)")
        let stride = windows.inputCount * 3
        precondition(rows.lowerBound >= 0 && rows.upperBound * stride <= source.byteCount)
        precondition(target.byteCount == rows.count * windows.outputCount * 3)
        let skipped = rows.lowerBound * stride
        // Windows lie in the rows, rows in the source, outputs in the target, by the checks above.
        unsafe windows.withNative { native in
            withExtendedLifetime(source) {
                unsafe ckernels_resample_rows(
                    CInt(path.rawValue),
                    (source.unsafeAddress + skipped).assumingMemoryBound(to: UInt8.self),
                    source.byteCount - skipped, stride, rows.count, native,
                    target.unsafeAddress.assumingMemoryBound(to: UInt8.self))
            }
        }
    }

    /// Resamples columns of RGB pixels.
    ///
    /// - Parameters:
    ///   - source: `windows.inputCount` rows without gaps, the first of them being row 0 of the windows.
    ///   - columns: the columns to take.
    ///   - width: the pixels in a row of the source.
    ///   - windows: what each output row sums.
    ///   - target: `windows.outputCount * columns.count * 3` bytes.
    ///   - path: the code to use.
    public static func resampleColumns(
        of source: Memory, columns: Range<Int>, width: Int, windows: ResamplingWindows,
        into target: inout MutableMemory, path: Path = .best
    ) {
        precondition(path.isAvailable, "the processor has no \(path)")
        precondition(columns.lowerBound >= 0 && columns.upperBound <= width)
        precondition(windows.inputCount * width * 3 <= source.byteCount)
        precondition(target.byteCount == windows.outputCount * columns.count * 3)
        // Windows lie in the source's rows, columns in its rows, outputs in the target, by the checks above.
        unsafe windows.withNative { native in
            withExtendedLifetime(source) {
                unsafe ckernels_resample_columns(
                    CInt(path.rawValue),
                    (source.unsafeAddress + columns.lowerBound * 3).assumingMemoryBound(
                        to: UInt8.self),
                    width * 3, columns.count * 3, native,
                    target.unsafeAddress.assumingMemoryBound(to: UInt8.self))
            }
        }
    }
}
