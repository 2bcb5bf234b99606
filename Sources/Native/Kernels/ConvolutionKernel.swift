internal import CKernels

/// What the kernels compute with.
public enum KernelElement: Sendable, Hashable {
    /// 32-bit IEEE 754.
    case float32
    /// The upper half of a float32.
    case bfloat16

    /// Bytes an element takes.
    public var byteCount: Int { self == .float32 ? 4 : 2 }

    var type: ck_type { self == .float32 ? CK_FLOAT32 : CK_BFLOAT16 }
}

/// Which instructions the kernels may use.
public enum KernelInstructions: Int, Sendable, Hashable, Comparable, CaseIterable {
    /// Plain C.
    case plain
    /// AVX-512, for float32.
    case avx512
    /// AVX-512 with the bfloat16 multiply-add.
    case avx512BFloat16

    /// The best of this machine.
    public static var best: KernelInstructions {
        KernelInstructions(rawValue: Int(ck_best_instructions().rawValue)) ?? .plain
    }

    /// Whether the machine has AMX, the tile instructions, for bfloat16.
    public static var hasTiles: Bool { ck_has_tiles() }

    /// Whether the left knows less than the right.
    public static func < (left: KernelInstructions, right: KernelInstructions) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// A convolution over activations with channels innermost, `[N][H][W][C]`, and how its work is cut.
///
/// Where `rowFold` is more than 1, the input has its left and right padding in memory and a whole filter row,
/// `rowFold` columns of few channels, counts as one tap.
public struct ConvolutionKernel: Sendable, Hashable {
    /// Images.
    public var images: Int
    /// Input extents; the width includes padding in memory where `rowFold` is more than 1.
    public var inHeight, inWidth: Int
    /// Input channels.
    public var inChannels: Int
    /// Output extents.
    public var outHeight, outWidth: Int
    /// Output channels.
    public var outChannels: Int
    /// Filter extents.
    public var filterHeight, filterWidth: Int
    /// Steps.
    public var strideHeight, strideWidth: Int
    /// Zeros above and to the left, negative where the window begins inside; those below and to the right follow from
    /// the extents.
    public var padTop, padLeft: Int
    /// What is read.
    public var inElement: KernelElement
    /// What is written.
    public var outElement: KernelElement
    /// Whether negative results become zero.
    public var relu: Bool
    /// Filter columns that make one tap.
    public var rowFold: Int
    /// Vectors of 16 output channels computed together.
    public var slabVectors: Int
    /// Output pixels in a unit of work.
    public var unitPixels: Int
    /// Whether neighbouring units share filters rather than pixels.
    public var filtersFirst: Bool
    /// Whether the kernel multiplies in Winograd's domain; see `allowsWinograd`.
    public var winograd = false
    /// For Winograd, tiles of 2x2 output pixels in a unit of work.
    public var unitTiles = 32
    /// For Winograd, parts into which the output channels are cut.
    public var parts = 1
    /// What the kernel may use.
    public var instructions: KernelInstructions

    /// Makes a convolution.
    public init(
        images: Int, inHeight: Int, inWidth: Int, inChannels: Int, outHeight: Int, outWidth: Int,
        outChannels: Int, filterHeight: Int, filterWidth: Int, strideHeight: Int, strideWidth: Int,
        padTop: Int, padLeft: Int, inElement: KernelElement, outElement: KernelElement, relu: Bool,
        rowFold: Int = 1, slabVectors: Int = 4, unitPixels: Int = 96, filtersFirst: Bool = false,
        instructions: KernelInstructions = .best
    ) {
        self.images = images
        self.inHeight = inHeight
        self.inWidth = inWidth
        self.inChannels = inChannels
        self.outHeight = outHeight
        self.outWidth = outWidth
        self.outChannels = outChannels
        self.filterHeight = filterHeight
        self.filterWidth = filterWidth
        self.strideHeight = strideHeight
        self.strideWidth = strideWidth
        self.padTop = padTop
        self.padLeft = padLeft
        self.inElement = inElement
        self.outElement = outElement
        self.relu = relu
        self.rowFold = rowFold
        self.slabVectors = slabVectors
        self.unitPixels = unitPixels
        self.filtersFirst = filtersFirst
        self.instructions = instructions
    }

    /// Elements the kernel reads of its input.
    public var inputElementCount: Int { images * inHeight * inWidth * inChannels }
    /// Elements the kernel writes.
    public var outputElementCount: Int { images * outHeight * outWidth * outChannels }
    /// Elements of the filter `[O, I, h, w]`.
    public var filterElementCount: Int { outChannels * inChannels * filterHeight * filterWidth }
    /// Elements of a bias: the output channels, rounded up to whole vectors.
    public var paddedOutChannels: Int { (outChannels + 15) / 16 * 16 }

    /// Whether Winograd's F(2x2, 3x3) can be used: 3x3 filters, stride 1, and the instructions it needs.
    public var allowsWinograd: Bool {
        filterHeight == 3 && filterWidth == 3 && strideHeight == 1 && strideWidth == 1
            && rowFold == 1
            && instructions >= (inElement == .bfloat16 ? .avx512BFloat16 : .avx512)
    }

    /// Elements that one tap covers.
    var depth: Int { inChannels * rowFold }

    /// Throws unless every address the kernel computes lies inside its operands.
    func validate() throws(NativeError) {
        let extents = [
            images, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, filterHeight,
            filterWidth, strideHeight, strideWidth, rowFold, unitPixels,
        ]
        guard extents.allSatisfy({ $0 > 0 && $0 < 1 << 28 }), abs(padTop) < 1 << 20,
            abs(padLeft) < 1 << 20
        else {
            throw NativeError(.unsupported, "convolution: expected positive extents, found \(self)")
        }
        guard filterWidth % rowFold == 0, rowFold == 1 || rowFold == filterWidth,
            filterHeight * filterWidth / rowFold <= 64, (1...4).contains(slabVectors)
        else {
            throw NativeError(
                .unsupported,
                "convolution: filters of \(filterHeight)x\(filterWidth) have more than 64 taps")
        }
        guard !winograd || (allowsWinograd && unitTiles > 0 && parts > 0) else {
            throw NativeError(
                .unsupported, "convolution: Winograd's form needs 3x3 filters and stride 1")
        }
        // Taps outside the input read zeros instead, so only folded rows can reach beyond it.
        guard
            rowFold == 1 || (padLeft == 0 && (outWidth - 1) * strideWidth + filterWidth <= inWidth)
        else {
            throw NativeError(
                .unsupported,
                "convolution: a folded row of \(filterWidth) columns reaches beyond \(inWidth)")
        }
    }

    var native: ck_convolution {
        ck_convolution(
            images: Int32(images), in_height: Int32(inHeight), in_width: Int32(inWidth),
            out_height: Int32(outHeight), out_width: Int32(outWidth), depth: Int32(depth),
            out_channels: Int32(outChannels), taps_high: Int32(filterHeight),
            taps_wide: Int32(filterWidth / rowFold), stride_high: Int32(strideHeight),
            stride_wide: Int32(strideWidth), pad_top: Int32(padTop), pad_left: Int32(padLeft),
            column_stride: Int64(inChannels), row_stride: Int64(inWidth * inChannels),
            image_stride: Int64(inHeight * inWidth * inChannels), in_type: inElement.type,
            out_type: outElement.type, relu: relu, slab_vectors: Int32(slabVectors),
            unit_pixels: Int32(unitPixels), filters_first: filtersFirst,
            instructions: ck_instructions(rawValue: UInt32(instructions.rawValue)))
    }

    var nativeWinograd: ck_winograd {
        ck_winograd(convolution: native, unit_tiles: Int32(unitTiles), parts: Int32(parts))
    }
}
