import ModelFormats
import Native
import Tensors
import TestSupport
import Testing

@Suite("Hostile pickles")
struct HostilePickleTests {
    /// A file and the code with which it must be refused.
    struct Attack: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let file: [UInt8]
        let code: ModelFormatError.Code

        init(
            _ name: String, _ pickle: [UInt8], _ code: ModelFormatError.Code, isScript: Bool = false
        ) {
            testDescription = name
            file = Pickle.file(pickle, isScript: isScript)
            self.code = code
        }
    }

    /// Calls of names that run code, each of which would do harm in Python.
    static let calls: [Attack] = [
        ("os", "system"), ("posix", "system"), ("nt", "system"), ("subprocess", "Popen"),
        ("subprocess", "check_output"), ("builtins", "eval"), ("builtins", "exec"),
        ("__builtin__", "eval"), ("builtins", "getattr"), ("builtins", "__import__"),
        ("pkgutil", "resolve_name"), ("importlib", "import_module"), ("runpy", "_run_code"),
        ("torch", "load"), ("torch.hub", "load"), ("torch.serialization", "load"),
        ("torch._utils", "_rebuild_tensor_v2.__globals__"), ("torch", "_utils._rebuild_tensor"),
        ("numpy.testing._private.utils", "runstring"), ("operator", "attrgetter"),
        ("argparse", "Namespace.__init__"), ("collections", "OrderedDict.update"),
        ("torch.FloatStorage", "from_file"), ("code", "InteractiveInterpreter"), ("", ""),
    ].map { module, name in
        Attack(
            "\(module).\(name)",
            Pickle.weights(Pickle.call(module, name, Pickle.text("touch attacked"))), .forbidden)
    }

    private static let dictionary = bytes(Pickle.proto, Pickle.emptyDictionary)

    /// Operations that weights do not need, or that are used on the wrong things.
    static let operations: [Attack] = [
        Attack(
            "STACK_GLOBAL",
            Pickle.weights(
                bytes(
                    Pickle.text("os"), Pickle.text("system"), [0x93], Pickle.text("true"), [0x85],
                    Pickle.reduce)), .forbidden),
        Attack("INST", Pickle.weights(Array("(S'true'\nios\nsystem\n".utf8)), .forbidden),
        Attack("OBJ", Pickle.weights(Array("(o".utf8)), .forbidden),
        Attack("EXT1", Pickle.weights([0x82, 1]), .forbidden),
        Attack("NEWOBJ_EX", Pickle.weights([0x92]), .forbidden),
        Attack("PERSID", Pickle.weights(Array("Pos.system\n".utf8)), .forbidden),
        Attack("NEXT_BUFFER", Pickle.weights([0x97]), .forbidden),
        Attack(
            "call of a storage class",
            Pickle.weights(Pickle.call("torch", "FloatStorage", Pickle.integer(1 << 40))),
            .forbidden),
        Attack(
            "call of a text",
            Pickle.weights(bytes(Pickle.text("x"), Pickle.emptyTuple, Pickle.reduce)), .malformed),
        Attack(
            "BUILD on a tensor",
            Pickle.weights(bytes(Pickle.tensor(), Pickle.emptyDictionary, Pickle.build)),
            .forbidden),
        Attack(
            "BUILD on a plain dictionary",
            bytes(dictionary, Pickle.emptyDictionary, Pickle.build, Pickle.stop), .forbidden),
        Attack(
            "BUILD on a class",
            Pickle.weights(
                bytes(
                    Pickle.global("collections", "OrderedDict"), Pickle.emptyDictionary,
                    Pickle.build)), .forbidden),
        Attack(
            "BUILD with slots",
            Pickle.weights(
                bytes(
                    Pickle.call("collections", "OrderedDict"), Pickle.none, Pickle.emptyDictionary,
                    [0x86], Pickle.build)), .forbidden),
        Attack(
            "SETITEMS on a list",
            Pickle.weights(
                bytes(
                    Pickle.emptyList, Pickle.mark, Pickle.text("a"), Pickle.none, Pickle.setItems)),
            .malformed),
        Attack(
            "SETITEM on a tensor",
            Pickle.weights(
                bytes(Pickle.tensor(), Pickle.integer(0), Pickle.none, Pickle.setItem)),
            .malformed),
        Attack(
            "SETITEM on a namespace",
            Pickle.weights(
                bytes(
                    Pickle.call("argparse", "Namespace"), Pickle.text("a"), Pickle.none,
                    Pickle.setItem)), .malformed),
        Attack(
            "APPENDS to a dictionary",
            Pickle.weights(
                bytes(Pickle.emptyDictionary, Pickle.mark, Pickle.none, Pickle.appends)),
            .malformed),
        Attack(
            "a list as a key",
            bytes(dictionary, Pickle.emptyList, Pickle.none, Pickle.setItem, Pickle.stop),
            .malformed),
        Attack(
            "a key without a value",
            bytes(dictionary, Pickle.mark, Pickle.none, Pickle.setItems, Pickle.stop), .malformed),
        Attack("an empty stack", bytes(Pickle.proto, Pickle.stop), .malformed),
        Attack(
            "POP below a mark",
            bytes(Pickle.proto, Pickle.none, Pickle.mark, Pickle.pop, Pickle.stop), .malformed),
        Attack("a mark that is not open", bytes(Pickle.proto, Pickle.tuple), .malformed),
        Attack(
            "two results", bytes(Pickle.proto, Pickle.none, Pickle.none, Pickle.stop), .malformed),
        Attack("no STOP", bytes(Pickle.proto, Pickle.none), .malformed),
        Attack("no operation", [], .malformed),
        Attack("protocol 9", bytes([0x80, 9], Pickle.none, Pickle.stop), .unsupported),
        Attack("protocol 1", bytes([0x80, 1], Pickle.none, Pickle.stop), .unsupported),
    ]

    /// Sizes and depths that cost a reader its memory, its time or its stack.
    static let sizes: [Attack] = [
        Attack("memo 2^32", Pickle.weights(bytes(Pickle.none, Pickle.put(.max))), .limitExceeded),
        Attack("an empty memo", Pickle.weights(Pickle.get(7)), .malformed),
        Attack(
            "LONG4 of 2 GB", Pickle.weights(bytes([0x8B], littleEndian(Int32.max))),
            .limitExceeded),
        Attack("LONG4 below 0", Pickle.weights(bytes([0x8B], littleEndian(Int32(-1)))), .malformed),
        Attack(
            "a text of 2^63 bytes", Pickle.weights(bytes([0x8D], littleEndian(UInt64(1) << 63))),
            .limitExceeded),
        Attack(
            "a text beyond the end",
            Pickle.weights(bytes([UInt8(ascii: "X")], littleEndian(UInt32(1000)))), .malformed),
        Attack(
            "BYTEARRAY8 of 2^40 bytes",
            Pickle.weights(bytes([0x96], littleEndian(UInt64(1) << 40))), .limitExceeded),
        Attack("a name without an end", bytes(Pickle.proto, Array("cos".utf8)), .malformed),
        Attack(
            "a name of 100,000 bytes",
            bytes(Pickle.proto, Array("c".utf8), [UInt8](repeating: 0x61, count: 100_000)),
            .limitExceeded),
        Attack(
            "100,000 lists in each other",
            bytes(
                Pickle.proto, repeated(Pickle.emptyList, 100_000),
                repeated(Array("a".utf8), 99_999), Pickle.stop), .limitExceeded),
        Attack(
            "100,000 tuples in each other",
            bytes(Pickle.proto, Pickle.none, repeated([0x85], 100_000), Pickle.stop),
            .limitExceeded),
        Attack(
            "100,000 open marks",
            bytes(Pickle.proto, repeated(Pickle.mark, 100_000), Pickle.stop), .limitExceeded),
        Attack(
            "2,000,000 operations",
            bytes(Pickle.proto, repeated(bytes(Pickle.none, Pickle.pop), 1_000_000), Pickle.stop),
            .limitExceeded),
        Attack(
            "a list of pairs used again and again",
            bytes(
                Pickle.proto, Pickle.global("collections", "OrderedDict"), Pickle.put(0),
                Pickle.pop,
                Pickle.emptyList, Pickle.mark,
                repeated(bytes(Pickle.none, Pickle.none, [0x86]), 10_000), Pickle.appends, [0x85],
                Pickle.put(1), Pickle.pop,
                repeated(bytes(Pickle.get(0), Pickle.get(1), Pickle.reduce, Pickle.pop), 10_000)),
            .limitExceeded),
    ]

    /// Tensors that reach outside their storage, or storages that are not there.
    static let tensors: [Attack] = [
        Attack(
            "more elements than the storage", Pickle.weights(Pickle.tensor(sizes: [3, 3])),
            .sizeMismatch),
        Attack("an offset beyond", Pickle.weights(Pickle.tensor(offset: 1)), .sizeMismatch),
        Attack(
            "an offset that overflows", Pickle.weights(Pickle.tensor(offset: .max)),
            .sizeMismatch),
        Attack("an offset below 0", Pickle.weights(Pickle.tensor(offset: -1)), .malformed),
        Attack(
            "a stride that overflows",
            Pickle.weights(Pickle.tensor(sizes: [2, 3], strides: [.max, 1])), .sizeMismatch),
        Attack(
            "a stride below 0", Pickle.weights(Pickle.tensor(sizes: [2, 3], strides: [-3, 1])),
            .malformed),
        Attack(
            "sizes whose product overflows",
            Pickle.weights(Pickle.tensor(sizes: [1 << 40, 1 << 40], strides: [0, 0])),
            .sizeMismatch),
        Attack(
            "a size below 0", Pickle.weights(Pickle.tensor(sizes: [-2, -3], strides: [3, 1])),
            .malformed),
        Attack(
            "sizes without strides", Pickle.weights(Pickle.tensor(sizes: [2, 3], strides: [1])),
            .malformed),
        Attack(
            "100 axes",
            Pickle.weights(
                Pickle.tensor(
                    sizes: [Int](repeating: 1, count: 100), strides: [Int](repeating: 1, count: 100)
                )),
            .malformed),
        Attack(
            "one element expanded to a terabyte",
            Pickle.weights(Pickle.tensor(sizes: [1 << 38], strides: [0])), .limitExceeded),
        Attack(
            "a storage larger than its entry",
            Pickle.weights(Pickle.tensor(count: 1 << 40, sizes: [1 << 40], strides: [1])),
            .sizeMismatch),
        Attack(
            "a storage smaller than its entry",
            Pickle.weights(Pickle.tensor(count: 4, sizes: [4], strides: [1])), .sizeMismatch),
        Attack(
            "a storage whose size overflows",
            Pickle.weights(Pickle.tensor(count: .max, sizes: [1], strides: [1])), .sizeMismatch),
        Attack(
            "a storage that is not there",
            Pickle.weights(
                Pickle.call(
                    "torch._utils", "_rebuild_tensor_v2", Pickle.storage("1", count: 6),
                    Pickle.integer(0), Pickle.tuple(Pickle.integer(6)),
                    Pickle.tuple(Pickle.integer(1)))), .missingEntry),
        Attack(
            "a storage outside its folder",
            Pickle.weights(
                Pickle.call(
                    "torch._utils", "_rebuild_tensor_v2", Pickle.storage("../data/0", count: 6),
                    Pickle.integer(0), Pickle.tuple(Pickle.integer(6)),
                    Pickle.tuple(Pickle.integer(1)))), .missingEntry),
        Attack(
            "a storage of a type unknown",
            Pickle.weights(Pickle.global("torch", "ComplexFloatStorage")), .unsupported),
        Attack(
            "a storage that is a text",
            Pickle.weights(
                Pickle.call(
                    "torch._utils", "_rebuild_tensor_v2", Pickle.text("0"), Pickle.integer(0),
                    Pickle.tuple(Pickle.integer(6)), Pickle.tuple(Pickle.integer(1)))), .malformed),
        Attack(
            "a parameter without a tensor",
            Pickle.weights(Pickle.call("torch._utils", "_rebuild_parameter", Pickle.none)),
            .malformed),
        Attack("a number instead of weights", Pickle.weights(Pickle.integer(1)), .noWeights),
        Attack("a tensor alone", bytes(Pickle.proto, Pickle.tensor(), Pickle.stop), .noWeights),
    ]

    /// Programs of TorchScript whose modules are not a tree, or whose classes are used as what they are not.
    static let scripts: [Attack] = [
        Attack(
            "a module of 1,000 attributes, named 1,000 times",
            module(
                bytes(
                    Pickle.text("m0"),
                    part(
                        Array(
                            (0..<1_000).map { bytes(Pickle.text("a\($0)"), Pickle.none) }.joined())),
                    Pickle.put(7),
                    Array((1..<1_000).map { bytes(Pickle.text("m\($0)"), Pickle.get(7)) }.joined())
                )), .limitExceeded, isScript: true),
        Attack(
            "a module within itself",
            bytes(
                Pickle.proto, Pickle.module, Pickle.put(7), Pickle.emptyDictionary, Pickle.mark,
                Pickle.text("self"), Pickle.get(7), Pickle.setItems, Pickle.build, Pickle.stop),
            .limitExceeded, isScript: true),
        Attack(
            "two modules within each other, twice each",
            bytes(
                Pickle.proto, Pickle.module, Pickle.put(7), Pickle.emptyDictionary, Pickle.mark,
                Pickle.text("a"),
                part(
                    bytes(Pickle.text("c"), Pickle.get(7), Pickle.text("d"), Pickle.get(7))),
                Pickle.put(8), Pickle.text("b"), Pickle.get(8), Pickle.setItems, Pickle.build,
                Pickle.stop), .limitExceeded, isScript: true),
        Attack(
            "a class of a program called with arguments",
            module(
                bytes(
                    Pickle.text("x"),
                    Pickle.call("__torch__", "Module", Pickle.text("touch attacked")))),
            .malformed, isScript: true),
        Attack(
            "a name that only a program's own file may have",
            Pickle.weights(bytes(Pickle.module, Pickle.emptyDictionary, Pickle.build)), .forbidden),
        Attack(
            "a name that runs code, in a program",
            module(bytes(Pickle.text("x"), Pickle.call("os", "system", Pickle.text("true")))),
            .forbidden, isScript: true),
        Attack(
            "a program without weights, as one that was frozen",
            module(bytes(Pickle.text("training"), [0x89])), .noWeights, isScript: true),
        Attack(
            "a tensor instead of a program", bytes(Pickle.proto, Pickle.tensor(), Pickle.stop),
            .noWeights, isScript: true),
    ]

    /// A module with attributes.
    private static func part(_ attributes: [UInt8]) -> [UInt8] {
        bytes(
            Pickle.module, Pickle.emptyDictionary, Pickle.mark, attributes, Pickle.setItems,
            Pickle.build)
    }

    /// A whole program.
    private static func module(_ attributes: [UInt8]) -> [UInt8] {
        bytes(Pickle.proto, part(attributes), Pickle.stop)
    }

    @Test(
        "are refused for the right reason",
        arguments: calls + operations + sizes + tensors + scripts)
    func refused(attack: Attack) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write(attack.file, to: "attack.pth")
        let before = threadTime()
        let error = #expect(throws: ModelFormatError.self) {
            try WeightFile(contentsOf: path)
        }
        if let before, let after = threadTime() {
            let spent = after - before
            #expect(spent < limit)
        }
        #expect(error?.code == attack.code, "\(error?.message ?? "")")
        #expect(try folder.names() == ["attack.pth"])
    }

    /// Time of a processor that refusing may take; a build without optimisation is some thirty times slower.
    private var limit: Duration {
        #if DEBUG
            .seconds(4)
        #else
            .milliseconds(100)
        #endif
    }

    @Test("are at least forty")
    func count() {
        #expect(Self.calls.count + Self.operations.count + Self.sizes.count >= 40)
    }

    @Test("are not refused for being pickles: the harmless one is read")
    func harmless() throws {
        let file = try WeightFile(
            reading: Memory(copying: Pickle.file(Pickle.weights(Pickle.tensor()))), name: "x")
        #expect(file.tensors[0].name == "fc.weight")
        #expect(file.tensors[0].tensor.shape == [2, 3])
        #expect(file.tensors[0].tensor.floats() == [1, 2, 3, 4, 5, 6])
    }

    @Test("are not refused for strides that no element needs")
    func strideOfOne() throws {
        let tensor = Pickle.tensor(sizes: [1, 3, 1, 2], strides: [.max, 1, .max, 3])
        let file = try WeightFile(
            reading: Memory(copying: Pickle.file(Pickle.weights(tensor))), name: "x")
        #expect(file.tensors[0].tensor.floats() == [1, 4, 2, 5, 3, 6])
    }

    private static func repeated(_ part: [UInt8], _ count: Int) -> [UInt8] {
        Array(repeatElement(part, count: count).joined())
    }
}
