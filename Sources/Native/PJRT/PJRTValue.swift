internal import CPJRT

/// A value of a plugin's named options and attributes.
public enum PJRTValue: Sendable, Hashable {
    /// A text.
    case text(String)
    /// A whole number.
    case number(Int64)
    /// Whole numbers.
    case numbers([Int64])
    /// Yes or no.
    case flag(Bool)
    /// A real number.
    case real(Float)
}

extension PJRTValue {
    /// Copies a value of the plugin's; `nil` for a kind of a later version.
    @unsafe
    init?(_ value: cpjrt_value) {
        switch unsafe Int(value.kind) {
        case CPJRT_TEXT: unsafe self = .text(Native.text(value.text))
        case CPJRT_NUMBER: unsafe self = .number(value.number)
        case CPJRT_NUMBERS:
            // As many numbers as the plugin says, alive while the caller holds what they are an attribute of.
            let numbers = unsafe UnsafeBufferPointer(
                start: value.numbers, count: value.numbers_count)
            self = .numbers(unsafe Array(numbers))
        case CPJRT_REAL: unsafe self = .real(value.real)
        case CPJRT_FLAG: unsafe self = .flag(value.flag)
        default: return nil
        }
    }
}

/// Copies named values of a plugin, which have to be alive.
@unsafe
func dictionary(_ values: cpjrt_values) -> [String: PJRTValue] {
    var result: [String: PJRTValue] = [:]
    for index in unsafe 0..<values.count {
        let value = unsafe cpjrt_value_at(values, index)
        result[unsafe text(value.name)] = unsafe PJRTValue(value)
    }
    return result
}

/// Named values in the form that plugins take, for the duration of a call.
@safe
struct PJRTOptions: ~Copyable {
    private let pointer: OpaquePointer

    /// Copies values, in the order of their names.
    ///
    /// - Throws: `NativeError` with code `.resourceExhausted`.
    static func make(_ values: [String: PJRTValue]) throws(NativeError) -> PJRTOptions {
        guard let pointer = unsafe cpjrt_options_create(values.count) else {
            throw NativeError(.resourceExhausted, "no memory for \(values.count) options")
        }
        let options = unsafe PJRTOptions(pointer: pointer)
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            guard options.add(name, value) else {
                throw NativeError(.resourceExhausted, "no memory for the option \(name)")
            }
        }
        return options
    }

    private init(pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe cpjrt_options_destroy(pointer)
    }

    /// Calls `body` with the options, valid during the call.
    @unsafe
    func with<Result>(_ body: (OpaquePointer) -> Result) -> Result {
        withExtendedLifetime(self) { _ in unsafe body(pointer) }
    }

    /// The shim copies what it is given.
    private func add(_ name: String, _ value: PJRTValue) -> Bool {
        switch value {
        case .text(let text): unsafe cpjrt_options_add_text(pointer, name, text)
        case .number(let number): unsafe cpjrt_options_add_number(pointer, name, number)
        case .numbers(let numbers):
            unsafe cpjrt_options_add_numbers(pointer, name, numbers, numbers.count)
        case .flag(let flag): unsafe cpjrt_options_add_flag(pointer, name, flag)
        case .real(let real): unsafe cpjrt_options_add_real(pointer, name, real)
        }
    }
}
