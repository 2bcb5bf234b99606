/// The test of this process; set once, before libFuzzer starts, and only read after.
nonisolated(unsafe) private var test: (([UInt8]) -> Void)?

/// Hands the process to libFuzzer, which calls `body` with one input after another.
///
/// This file is the one unsafe place of `Fuzz/`: the bytes are copied before a parser sees them.
public func runFuzzer(_ body: @escaping ([UInt8]) -> Void) {
    unsafe test = body
    var count = CommandLine.argc
    // The process's own arguments, which live as long as it does.
    var arguments: Arguments = unsafe CommandLine.unsafeArgv
    _ = unsafe runDriver(&count, &arguments, testOneInput)
}

private typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

/// libFuzzer as a library; SwiftPM gives an executable a `main` of its own, so libFuzzer's is not used.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<Arguments>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// One input; libFuzzer promises `count` readable bytes for the duration of the call.
@_cdecl("LLVMFuzzerTestOneInput")
func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    unsafe test?([UInt8](UnsafeBufferPointer(start: start, count: count)))
    return 0
}
