internal import CKernels

/// The gradient of a convolution for its filter, and how its work is cut.
public struct FilterGradientKernel: Sendable, Hashable {
    /// The forward convolution; the gradient and its input are of its `inElement`.
    public let convolution: ConvolutionKernel
    /// Whether the input, after its affine, is at least 0.
    public var relu: Bool
    /// Parts of the batch that are summed apart.
    public let groups: Int
    /// Whether products are made in Winograd's domain.
    public let winograd: Bool
    private let channelBlock: Int32
    private let depthBlock: Int32

    /// Channels of either side below which transforms cost more than they save.
    private static let fewestWinogradChannels = 16

    /// Makes a kernel, and cuts its work by the geometry alone.
    ///
    /// - Parameter winograd: whether float32 may go through Winograd's domain where that can be used and pays.
    public init(_ convolution: ConvolutionKernel, relu: Bool, winograd allowed: Bool = false) {
        self.convolution = convolution
        self.relu = relu
        winograd =
            allowed && convolution.allowsWinograd && convolution.inElement == .float32
            && min(convolution.inChannels, convolution.outChannels)
                >= Self.fewestWinogradChannels
        var plan = ck_filter_gradient()
        plan.convolution = convolution.native
        plan.winograd = winograd
        unsafe ck_filter_gradient_plan(&plan)
        groups = Int(plan.groups)
        channelBlock = plan.channel_block
        depthBlock = plan.depth_block
    }

    /// Elements of the filter, folded rows as they are.
    public var filterElementCount: Int { convolution.filterElementCount }

    var native: ck_filter_gradient {
        var native = ck_filter_gradient()
        native.convolution = convolution.native
        native.groups = Int32(groups)
        native.channel_block = channelBlock
        native.depth_block = depthBlock
        native.relu = relu
        native.winograd = winograd
        return native
    }

    var unitCount: Int {
        var native = native
        return unsafe Int(ck_filter_gradient_units(&native))
    }

    var scratchByteCount: Int {
        var native = native
        return unsafe ck_filter_gradient_scratch_bytes(&native)
    }
}

/// A filter as a step keeps it, `[taps][depth][channels]`, and how a convolution reads it.
public struct FilterSource: Sendable, Hashable {
    /// Input channels.
    public var depth: Int
    /// Output channels.
    public var channels: Int
    /// The source's taps in the order of the convolution's.
    public var taps: [Int]
    /// Taps that the source has.
    public var tapCount: Int
    /// Whether the convolution goes from output to input channels, as for the input's gradient.
    public var isTransposed: Bool

    /// Makes a source.
    public init(depth: Int, channels: Int, taps: [Int], tapCount: Int, isTransposed: Bool) {
        self.depth = depth
        self.channels = channels
        self.taps = taps
        self.tapCount = tapCount
        self.isTransposed = isTransposed
    }
}
