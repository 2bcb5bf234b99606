/// A value on a pickle's stack.
///
/// Containers are indices into the machine's heap, so that a value never owns another: nesting costs no call
/// depth, and a container may hold itself without a leak.
enum PickleValue: Sendable {
    case none
    case boolean(Bool)
    case integer(Int)
    case float(Double)
    case string(String)
    /// A value that is carried along and never looked into: bytes, a long integer, a device, a NumPy number.
    case opaque
    case global(PickleGlobal)
    case list(Int)
    case tuple(Int)
    case dictionary(Int)
    case storage(Int)
    case tensor(Int)

    /// What messages call it.
    var kind: String {
        switch self {
        case .none: "None"
        case .boolean: "a truth value"
        case .integer: "an integer"
        case .float: "a number"
        case .string: "a text"
        case .opaque: "an opaque value"
        case .global(let global): "the name \(global.rawValue)"
        case .list: "a list"
        case .tuple: "a tuple"
        case .dictionary: "a dictionary"
        case .storage: "a storage"
        case .tensor: "a tensor"
        }
    }
}

/// A dictionary of a pickle, with what kind of object it stands for.
struct PickleDictionary: Sendable {
    /// What made it.
    enum Kind {
        case plain
        case ordered
        /// `argparse.Namespace`, whose attributes are kept as entries.
        case namespace
    }

    let kind: Kind
    var entries: [(key: PickleValue, value: PickleValue)] = []

    /// The last value under a text, as a dictionary would hold it.
    func value(_ key: String) -> PickleValue? {
        for entry in entries.reversed() {
            if case .string(let text) = entry.key, text == key { return entry.value }
        }
        return nil
    }
}

/// A storage that a pickle refers to: `count` elements kept elsewhere under `key`.
struct PickleStorage: Sendable {
    let key: String
    let elementType: PickleElementType
    let count: Int
}

/// A tensor as a pickle describes it, checked against its storage's size.
struct PickleTensor: Sendable {
    let storage: Int
    let offset: Int
    let sizes: [Int]
    let strides: [Int]
}
