/// Writes a pickle of protocol 2: the few opcodes that weights need.
///
/// Source: Python 3.11, `pickletools`.
struct PickleWriter {
    /// The bytes so far; `STOP` ends them.
    private(set) var bytes: [UInt8] = [0x80, 2]

    /// Adds a name that the reader knows, such as a class.
    mutating func global(_ module: String, _ name: String) {
        bytes += [UInt8(ascii: "c")] + Array("\(module)\n\(name)\n".utf8)
    }

    /// Adds a text.
    mutating func text(_ text: String) {
        let utf8 = Array(text.utf8)
        bytes.append(UInt8(ascii: "X"))
        bytes.append(littleEndian: UInt32(utf8.count))
        bytes += utf8
    }

    /// Adds a whole number.
    mutating func integer(_ value: Int) {
        if (0..<256).contains(value) {
            bytes += [UInt8(ascii: "K"), UInt8(value)]
        } else if let value = Int32(exactly: value) {
            bytes.append(UInt8(ascii: "J"))
            bytes.append(littleEndian: value)
        } else {
            bytes += [0x8A, 8]
            bytes.append(littleEndian: Int64(value))
        }
    }

    /// Adds truth or falsehood.
    mutating func boolean(_ value: Bool) { bytes.append(value ? 0x88 : 0x89) }

    /// Adds a tuple of whole numbers.
    mutating func tuple(_ values: [Int]) {
        guard !values.isEmpty else {
            emptyTuple()
            return
        }
        mark()
        for value in values { integer(value) }
        endTuple()
    }

    /// Begins a tuple, or the items of a dictionary.
    mutating func mark() { bytes.append(UInt8(ascii: "(")) }

    /// Ends a tuple.
    mutating func endTuple() { bytes.append(UInt8(ascii: "t")) }

    /// Adds a tuple of nothing.
    mutating func emptyTuple() { bytes.append(UInt8(ascii: ")")) }

    /// Adds a dictionary of nothing.
    mutating func emptyDictionary() { bytes.append(UInt8(ascii: "}")) }

    /// Puts the items since the mark into the dictionary before it.
    mutating func setItems() { bytes.append(UInt8(ascii: "u")) }

    /// Calls what stands before the tuple on top with it.
    mutating func reduce() { bytes.append(UInt8(ascii: "R")) }

    /// Makes an object of the class before the tuple on top.
    mutating func newObject() { bytes.append(0x81) }

    /// Gives the object before what is on top its state.
    mutating func build() { bytes.append(UInt8(ascii: "b")) }

    /// Turns the tuple on top into what it names outside of the pickle.
    mutating func persistent() { bytes.append(UInt8(ascii: "Q")) }

    /// Ends the pickle.
    mutating func stop() { bytes.append(UInt8(ascii: ".")) }
}
