import FoundationEssentials
public import Native
import Synchronization

/// Writes scalars for TensorBoard: an events file in a folder.
///
/// Source: TensorBoard 2.20, `event.proto` and `summary.proto`, framed as TFRecord. A run that goes on after an
/// interruption starts another file, which says from which step on it holds; TensorBoard then drops what an
/// earlier file has of later steps.
public final class EventFileWriter: Sendable {
    private struct State: ~Copyable {
        var file: WritableFile
        var waiting: [UInt8] = []
    }

    /// Bytes that wait for `flush` at most.
    private static let bufferSize = 1 << 16

    /// The file's path.
    public let path: String
    private let clock: @Sendable () -> Double
    private let state: Mutex<State>

    /// Starts a file in a folder; TensorBoard finds it by `tfevents` in its name.
    ///
    /// - Parameters:
    ///   - folder: the run's folder, which exists.
    ///   - step: the first step that the file may speak of: 0, or the first one after the checkpoint that a run goes on
    ///     from. What other files have of it and of later ones is dropped.
    ///   - clock: the seconds since 1970; the system's where `nil`.
    /// - Throws: `NativeError` with code `.inputOutput`.
    public init(
        folder: String, step: Int = 0,
        clock: (@Sendable () -> Double)? = nil
    ) throws(NativeError) {
        let clock = clock ?? { Date().timeIntervalSince1970 }
        let start = clock()
        let path = Self.freePath(folder: folder, seconds: Int(start))
        self.path = path
        self.clock = clock
        state = Mutex(State(file: try WritableFile(appendingTo: path)))
        var version = WireMessage()
        version.add(1, double: start)
        version.add(3, text: "brain.Event:2")
        try write([version, Self.beginning(at: step, time: start)])
        try flush()
    }

    /// Makes TensorBoard drop what it has of a step and all later ones, as where a run goes back to a checkpoint.
    ///
    /// - Throws: `NativeError` with code `.inputOutput`.
    public func goBack(to step: Int) throws(NativeError) {
        try write([Self.beginning(at: step, time: clock())])
    }

    /// The beginning of a session.
    private static func beginning(at step: Int, time: Double) -> WireMessage {
        var session = WireMessage()
        // SessionLog.status = START.
        session.add(1, integer: 1)
        var begin = WireMessage()
        begin.add(1, double: time)
        begin.add(2, integer: step)
        begin.add(7, message: session)
        return begin
    }

    /// Writes a number at a step.
    ///
    /// - Parameters:
    ///   - tag: what it is, as in `train/loss`; TensorBoard groups by what comes before the slash.
    ///   - value: rounded to float32.
    ///   - step: when.
    /// - Throws: `NativeError` with code `.inputOutput`.
    public func scalar(_ tag: String, _ value: Double, step: Int) throws(NativeError) {
        var number = WireMessage()
        number.add(1, text: tag)
        number.add(2, float: Float(value))
        var summary = WireMessage()
        summary.add(1, message: number)
        var event = WireMessage()
        event.add(1, double: clock())
        event.add(2, integer: step)
        event.add(5, message: summary)
        try write([event])
    }

    /// Hands everything to the system, so that a reader sees it.
    ///
    /// - Throws: `NativeError` with code `.inputOutput`.
    public func flush() throws(NativeError) {
        try state.withLock { (state) throws(NativeError) in try Self.flush(&state) }
    }

    private func write(_ events: [WireMessage]) throws(NativeError) {
        try state.withLock { (state) throws(NativeError) in
            for event in events { state.waiting += Self.record(event.bytes) }
            if state.waiting.count >= Self.bufferSize { try Self.flush(&state) }
        }
    }

    private static func flush(_ state: inout State) throws(NativeError) {
        guard !state.waiting.isEmpty else { return }
        let bytes = state.waiting
        state.waiting = []
        try state.file.write(bytes.span)
    }

    /// A record: the length and its sum, the bytes and theirs.
    private static func record(_ bytes: [UInt8]) -> [UInt8] {
        var record: [UInt8] = []
        record.reserveCapacity(bytes.count + 16)
        record.appendLittleEndian(UInt64(bytes.count))
        let sum = maskedCRC32C(record.span)
        record.appendLittleEndian(sum)
        record += bytes
        record.appendLittleEndian(maskedCRC32C(bytes.span))
        return record
    }

    /// A name that no file has; files of one folder sort by their time.
    private static func freePath(folder: String, seconds: Int) -> String {
        let digits = String(max(0, seconds))
        let padded = String(repeating: "0", count: max(0, 10 - digits.count)) + digits
        var number = 0
        while true {
            let path = "\(folder)/events.out.tfevents.\(padded).resnet.\(number)"
            if FileKind(atPath: path) == nil { return path }
            number += 1
        }
    }
}
