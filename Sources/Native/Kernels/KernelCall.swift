internal import CKernels

/// One call of a kernel: its kind, its operands, and what the kind needs.
struct KernelCall: Sendable {
    let kind: ck_kind
    let input: KernelOperand
    let second: KernelOperand?
    let out: KernelOperand
    let label: String
    /// Rows of work, and how many of them make a unit.
    let rows: Int
    let rowsPerUnit: Int
    var convolution: ConvolutionKernel?
    var pooling = ck_pooling()
    var filter: Memory?
    var bias: Memory?
    var table: Memory?
    var scale: Memory?
    var shift: Memory?
    var external: ExternalKernel?
    var from = CK_FLOAT32
    var to = CK_FLOAT32
    var elementByteCount = 0
    var width = 0
    var channels = 0
    var pixels = 0
    var padLeft = 0
    var padRight = 0

    /// Cuts the rows so that each of `members` threads gets a few parts.
    init(
        _ kind: ck_kind, input: KernelOperand, second: KernelOperand? = nil, out: KernelOperand,
        rows: Int, members: Int, label: String
    ) {
        self.kind = kind
        self.input = input
        self.second = second
        self.out = out
        self.label = label
        self.rows = rows
        let parts = members == 1 ? 1 : min(rows, 4 * members)
        rowsPerUnit = (rows + parts - 1) / parts
    }

    /// The call as the runner takes it.
    ///
    /// Its addresses are valid while this call lives.
    var native: ck_command {
        var command = unsafe ck_command()
        unsafe command.kind = kind
        unsafe command.input = input.native
        unsafe command.second = second?.native ?? ck_operand(space: CK_NOWHERE, index: 0, offset: 0)
        unsafe command.out = out.native
        unsafe command.rows = Int64(rows)
        unsafe command.rows_per_unit = Int64(rowsPerUnit)
        unsafe command.units = Int32((rows + rowsPerUnit - 1) / rowsPerUnit)
        if let convolution {
            var native = convolution.native
            var winograd = convolution.nativeWinograd
            unsafe command.convolution = native
            unsafe command.winograd = winograd
            unsafe command.units =
                kind == CK_WINOGRAD
                ? ck_winograd_units(&winograd) : ck_convolution_units(&native)
        }
        unsafe command.pooling = pooling
        unsafe command.filter = filter?.unsafeAddress
        unsafe command.bias = bias?.unsafeAddress.assumingMemoryBound(to: Float.self)
        unsafe command.table = table?.unsafeAddress
        unsafe command.scale = scale?.unsafeAddress.assumingMemoryBound(to: Float.self)
        unsafe command.shift = shift?.unsafeAddress.assumingMemoryBound(to: Float.self)
        if let external {
            unsafe command.units = Int32(external.unitCount)
            unsafe command.external = external.function
            unsafe command.contexts = UnsafePointer(external.contexts)
        }
        unsafe command.from = from
        unsafe command.to = to
        unsafe command.element_size = Int32(elementByteCount)
        unsafe command.width = Int32(width)
        unsafe command.channels = Int32(channels)
        unsafe command.pixels = Int32(pixels)
        unsafe command.pad_left = Int32(padLeft)
        unsafe command.pad_right = Int32(padRight)
        return unsafe command
    }
}
