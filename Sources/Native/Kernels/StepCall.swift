internal import CKernels

/// Where an operand of a step's call lies.
public struct StepOperand: Sendable, Hashable {
    /// Whose memory it is in.
    public enum Place: Sendable, Hashable {
        /// The memory that all threads share.
        case arena
        /// The memory of the thread that makes the call.
        case local
        /// An input, an output or a state of the program.
        case input(Int)
        case output(Int)
        case state(Int)
        /// What was given when the program was made.
        case constant(Int)
    }

    /// Whose memory it is in.
    public var place: Place
    /// Bytes from the start of that memory.
    public var offset: Int
    /// Bytes from one chunk of the batch to the next; 0 where all share it.
    public var step: Int
    /// Bytes that a call may touch.
    public var byteCount: Int

    /// Makes an operand.
    public init(_ place: Place, offset: Int = 0, step: Int = 0, byteCount: Int) {
        self.place = place
        self.offset = offset
        self.step = step
        self.byteCount = byteCount
    }

    /// A part of this operand.
    public func part(offset: Int, byteCount: Int) -> StepOperand {
        StepOperand(place, offset: self.offset + offset, step: step, byteCount: byteCount)
    }

    var native: ck_location {
        let (memory, index): (ck_memory, Int) =
            switch place {
            case .arena: (CK_AT_ARENA, 0)
            case .local: (CK_AT_LOCAL, 0)
            case .input(let index): (CK_AT_INPUT, index)
            case .output(let index): (CK_AT_OUTPUT, index)
            case .state(let index): (CK_AT_STATE, index)
            case .constant(let index): (CK_AT_CONSTANT, index)
            }
        return ck_location(
            memory: memory, index: Int32(index), offset: Int64(offset), step: Int64(step))
    }
}

/// One call of a training step: a kernel, its operands by place, and its sizes, checked against each other.
public struct StepCall: Sendable {
    /// What it does, for profiles: as in `convolution`.
    public let kind: String
    /// What the call is for, as in `layer1.0.conv2`.
    public var label: String
    let code: ck_step_kind
    var operands: [StepOperand?]
    var attributes: Attributes = .none
    /// Rows of work; threads share them in units of `rowsPerUnit`.
    var rows = 1
    var rowsPerUnit = 1
    var units = 1
    var from = CK_FLOAT32
    var to = CK_FLOAT32
    /// Bytes that the kernel needs for itself, and zeros it reads.
    var workByteCount = 0
    var zeroByteCount = 64
    /// Multiply-adds, counted as direct sums; 0 where it does other things.
    public var multiplyAdds = 0

    enum Attributes: Sendable {
        case none
        case convolution(ConvolutionKernel)
        case packing(ConvolutionKernel, FilterSource)
        case filterGradient(FilterGradientKernel)
        case pooling(ck_pooling)
        case spreading(ck_spreading)
        case loss(ck_cross_entropy)
        case momentum(ck_momentum)
        case trust(coefficient: Double, weightDecay: Double, epsilon: Double)
        case lossScale(growth: Double, backoff: Double, interval: Double)
        case lookUp(width: Int32, channels: Int32, padLeft: Int32, padRight: Int32)
        case sizes(Sizes)
    }

    struct Sizes: Sendable {
        var pixels = 0
        var channels = 0
        var parts = 0
        var taps = 0
        var top = 0
        var epsilon: Double = 0
        var mask = CK_ALL
        var relu = false
        var flag = false
        var number: Double = 0
    }

    init(_ code: ck_step_kind, _ kind: String, label: String, operands: [StepOperand?]) {
        self.code = code
        self.kind = kind
        self.label = label
        self.operands = operands
    }

    /// Bytes that the call may touch of all its operands together: what it moves at least once.
    public var operandByteCount: Int {
        operands.reduce(0) { $0 + ($1?.byteCount ?? 0) }
    }

    /// Cuts `rows` into units of about `rowsPerUnit`.
    mutating func share(rows: Int, rowsPerUnit: Int) {
        self.rows = rows
        self.rowsPerUnit = max(1, rowsPerUnit)
        units = (rows + self.rowsPerUnit - 1) / self.rowsPerUnit
    }

    /// Throws where an operand is missing or has fewer bytes than the kernel touches.
    func require(_ index: Int, _ byteCount: Int) throws(NativeError) {
        guard operands.indices.contains(index), let operand = operands[index] else {
            throw NativeError(.unsupported, "\(label): \(kind) misses operand \(index)")
        }
        guard byteCount > 0, byteCount < 1 << 40, byteCount <= operand.byteCount,
            operand.offset >= 0, operand.step >= 0
        else {
            throw NativeError(
                .unsupported,
                "\(label): operand \(index) of \(kind) has \(operand.byteCount) bytes where it needs \(byteCount)"
            )
        }
    }

    /// As `require`, where there is such an operand.
    func requireIfPresent(_ index: Int, _ byteCount: Int) throws(NativeError) {
        if operands.indices.contains(index), operands[index] != nil {
            try require(index, byteCount)
        }
    }

    /// The call as the runner takes it.
    var native: ck_step_call {
        var call = ck_step_call()
        call.kind = code
        for (index, operand) in operands.enumerated() {
            guard let operand else { continue }
            // There are at most as many operands as a call has room for: `StepProgram.add` checks.
            unsafe ck_step_call_set(&call, Int32(index), operand.native)
        }
        call.units = Int32(units)
        call.rows = Int64(rows)
        call.rows_per_unit = Int64(rowsPerUnit)
        call.from = from
        call.to = to
        switch attributes {
        case .none: break
        case .convolution(let kernel): call.of.convolution.winograd = kernel.nativeWinograd
        case .packing(let kernel, let source):
            call.of.convolution.winograd = kernel.nativeWinograd
            call.of.convolution.depth = Int32(source.depth)
            call.of.convolution.channels = Int32(source.channels)
            call.of.convolution.transposed = source.isTransposed
        case .filterGradient(let kernel): call.of.filter_gradient = kernel.native
        case .pooling(let pooling): call.of.pooling = pooling
        case .spreading(let spreading): call.of.spreading = spreading
        case .loss(let loss): call.of.loss = loss
        case .momentum(let momentum): call.of.momentum = momentum
        case .trust(let coefficient, let weightDecay, let epsilon):
            call.of.trust.coefficient = coefficient
            call.of.trust.weight_decay = weightDecay
            call.of.trust.epsilon = epsilon
        case .lossScale(let growth, let backoff, let interval):
            call.of.loss_scale.growth = growth
            call.of.loss_scale.backoff = backoff
            call.of.loss_scale.interval = interval
        case .lookUp(let width, let channels, let padLeft, let padRight):
            call.of.look_up.width = width
            call.of.look_up.channels = channels
            call.of.look_up.pad_left = padLeft
            call.of.look_up.pad_right = padRight
        case .sizes(let sizes):
            call.of.sizes.pixels = Int64(sizes.pixels)
            call.of.sizes.channels = Int32(sizes.channels)
            call.of.sizes.parts = Int32(sizes.parts)
            call.of.sizes.taps = Int32(sizes.taps)
            call.of.sizes.top = Int32(sizes.top)
            call.of.sizes.epsilon = Float(sizes.epsilon)
            call.of.sizes.mask = sizes.mask
            call.of.sizes.relu = sizes.relu
            call.of.sizes.flag = sizes.flag
            call.of.sizes.number = sizes.number
        }
        return call
    }
}
