/// The parts of pickles, by the names of Python's `pickletools`.
enum Pickle {
    static let proto = bytes([0x80, 2])
    static let none = Array("N".utf8)
    static let stop = Array(".".utf8)
    static let mark = Array("(".utf8)
    static let tuple = Array("t".utf8)
    static let emptyTuple = Array(")".utf8)
    static let emptyList = Array("]".utf8)
    static let emptyDictionary = Array("}".utf8)
    static let setItem = Array("s".utf8)
    static let setItems = Array("u".utf8)
    static let appends = Array("e".utf8)
    static let reduce = Array("R".utf8)
    static let build = Array("b".utf8)
    static let pop = Array("0".utf8)
    static let persistent = Array("Q".utf8)

    static func global(_ module: String, _ name: String) -> [UInt8] {
        Array("c\(module)\n\(name)\n".utf8)
    }

    static func text(_ text: String) -> [UInt8] {
        bytes([UInt8(ascii: "X")], littleEndian(UInt32(text.utf8.count)), Array(text.utf8))
    }

    static func integer(_ value: Int) -> [UInt8] { bytes([0x8A, 8], littleEndian(Int64(value))) }

    static func put(_ index: UInt32) -> [UInt8] { bytes(Array("r".utf8), littleEndian(index)) }

    static func get(_ index: UInt32) -> [UInt8] { bytes(Array("j".utf8), littleEndian(index)) }

    static func tuple(_ items: [UInt8]...) -> [UInt8] {
        bytes(mark, Array(items.joined()), tuple)
    }

    static func call(_ module: String, _ name: String, _ arguments: [UInt8]...) -> [UInt8] {
        bytes(global(module, name), mark, Array(arguments.joined()), tuple, reduce)
    }

    /// A reference to a storage of float32 numbers.
    static func storage(_ key: String = "0", count: Int) -> [UInt8] {
        bytes(
            tuple(
                text("storage"), global("torch", "FloatStorage"), text(key), text("cpu"),
                integer(count)),
            persistent)
    }

    static func tensor(
        count: Int = 6, offset: Int = 0, sizes: [Int] = [2, 3], strides: [Int] = [3, 1]
    ) -> [UInt8] {
        call(
            "torch._utils", "_rebuild_tensor_v2", storage(count: count), integer(offset),
            bytes(mark, Array(sizes.map(integer).joined()), tuple),
            bytes(mark, Array(strides.map(integer).joined()), tuple))
    }

    /// A whole pickle: `{"fc.weight": value}`.
    static func weights(_ value: [UInt8]) -> [UInt8] {
        bytes(proto, emptyDictionary, text("fc.weight"), value, setItem, stop)
    }

    /// A file of PyTorch's around a pickle, with one storage of six float32 numbers.
    ///
    /// - Parameter isScript: whether it is one of TorchScript's.
    static func file(
        _ pickle: [UInt8], storage: [UInt8]? = nil, isScript: Bool = false
    ) -> [UInt8] {
        let numbers = [1, 2, 3, 4, 5, 6].flatMap { littleEndian(Float($0).bitPattern) }
        let constants: [ZipBuilder.Entry] =
            isScript
            ? [.init("archive/constants.pkl", bytes(proto, emptyTuple, stop))] : []
        return ZipBuilder(
            entries: [
                .init("archive/data.pkl", pickle), .init("archive/data/0", storage ?? numbers),
            ] + constants
        ).build()
    }

    /// An object of a class of TorchScript's; what follows sets its attributes.
    static let module = bytes(global("__torch__", "Module"), emptyTuple, [0x81])
}
