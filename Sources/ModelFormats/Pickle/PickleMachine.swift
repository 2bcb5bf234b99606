/// Runs the part of Python's pickle language that PyTorch writes, and calls nothing.
///
/// Source: Python 3.13 `pickletools`; opcodes of protocols 2 to 5. A name is looked up in `PickleGlobal`; each
/// one leads to a case in this file's extension or to an error. Work, memory and nesting are bounded.
struct PickleMachine {
    /// Bounds, far above what the largest network here needs.
    enum Limit {
        static let operationCount = 1_000_000
        static let stackCount = 65_536
        static let memoCount = 1 << 20
        static let markCount = 1_000
        static let depth = 64
        static let itemCount = 500_000
        static let tensorCount = 20_000
        static let textByteCount = 1 << 20
        static let integerByteCount = 256
        static let tensorRank = 32
    }

    /// How `BINPERSID` finds what it names.
    enum PersistentValues {
        /// The identifier describes a storage.
        case storages
        /// The identifier is a key into these, as in the oldest files.
        case table([String: PickleValue])
    }

    let file: String
    let persistentValues: PersistentValues
    /// Whether the classes of a TorchScript program may be named.
    let readsScript: Bool
    /// Where the next operation is read.
    var position: Int
    private(set) var stack: [PickleValue] = []
    private var marks: [Int] = []
    private var memo: [PickleValue?] = []
    /// The containers and tensors that values point at.
    var heap: PickleHeap

    /// Makes a machine that starts at a byte.
    ///
    /// - Parameters:
    ///   - file: what messages call the pickle.
    ///   - position: its first byte.
    ///   - persistentValues: how what is kept outside is found.
    ///   - readsScript: whether the classes of a TorchScript program may be named.
    ///   - heap: what earlier pickles of the same file made, where values are shared.
    init(
        file: String, at position: Int, persistentValues: PersistentValues = .storages,
        readsScript: Bool = false, heap: PickleHeap = PickleHeap()
    ) {
        self.file = file
        self.position = position
        self.persistentValues = persistentValues
        self.readsScript = readsScript
        self.heap = heap
    }

    /// Runs one pickle; `position` is then behind it.
    ///
    /// - Throws: `ModelFormatError` with code `.malformed`, `.forbidden`, `.limitExceeded`, `.unsupported` or
    ///   `.sizeMismatch`.
    mutating func run(_ bytes: Span<UInt8>) throws(ModelFormatError) -> PickleValue {
        for _ in 0..<Limit.operationCount {
            let opcode = try number(UInt8.self, bytes)
            if opcode == UInt8(ascii: ".") {
                let result = try pop()
                guard stack.isEmpty, marks.isEmpty else {
                    throw malformed("expected one value at the end, found more")
                }
                return result
            }
            try perform(opcode, bytes)
            guard stack.count <= Limit.stackCount else {
                throw limitExceeded("more than \(Limit.stackCount) values at once")
            }
        }
        throw limitExceeded("more than \(Limit.operationCount) operations")
    }

    private mutating func perform(
        _ opcode: UInt8, _ bytes: Span<UInt8>
    ) throws(ModelFormatError) {
        switch opcode {
        case 0x80:  // PROTO
            let version = try number(UInt8.self, bytes)
            guard (2...5).contains(version) else {
                throw ModelFormatError(
                    .unsupported, "\(file): pickle protocol \(version); expected 2 to 5")
            }
        case 0x95: _ = try number(UInt64.self, bytes)  // FRAME

        // Numbers and texts
        case UInt8(ascii: "N"): stack.append(.none)
        case 0x88: stack.append(.boolean(true))
        case 0x89: stack.append(.boolean(false))
        case UInt8(ascii: "J"): stack.append(.integer(Int(try number(Int32.self, bytes))))
        case UInt8(ascii: "K"): stack.append(.integer(Int(try number(UInt8.self, bytes))))
        case UInt8(ascii: "M"): stack.append(.integer(Int(try number(UInt16.self, bytes))))
        case UInt8(ascii: "G"):
            let bits = try number(UInt64.self, bytes).byteSwapped
            stack.append(.float(Double(bitPattern: bits)))
        case 0x8A: try longInteger(byteCount: Int(try number(UInt8.self, bytes)), bytes)
        case 0x8B: try longInteger(byteCount: Int(try number(Int32.self, bytes)), bytes)
        case UInt8(ascii: "X"): try text(byteCount: UInt64(try number(UInt32.self, bytes)), bytes)
        case 0x8C: try text(byteCount: UInt64(try number(UInt8.self, bytes)), bytes)
        case 0x8D: try text(byteCount: try number(UInt64.self, bytes), bytes)
        // Python 2's texts: any bytes, of which names of tensors are plain ASCII.
        case UInt8(ascii: "U"): try text(byteCount: UInt64(try number(UInt8.self, bytes)), bytes)
        case UInt8(ascii: "T"): try text(byteCount: UInt64(try number(UInt32.self, bytes)), bytes)
        case UInt8(ascii: "C"): try skipBytes(UInt64(try number(UInt8.self, bytes)), bytes)
        case UInt8(ascii: "B"): try skipBytes(UInt64(try number(UInt32.self, bytes)), bytes)
        case 0x8E, 0x96: try skipBytes(try number(UInt64.self, bytes), bytes)

        // Containers
        case UInt8(ascii: "]"): stack.append(heap.makeList())
        case UInt8(ascii: ")"): try makeTuple([])
        case UInt8(ascii: "}"): stack.append(heap.makeDictionary(.plain))
        case 0x8F: stack.append(.opaque)  // EMPTY_SET
        case UInt8(ascii: "l"):
            let list = heap.makeList()
            try append(try popToMark(), to: list)
            stack.append(list)
        case UInt8(ascii: "t"): try makeTuple(try popToMark())
        case 0x85: try makeTuple(try popLast(1))
        case 0x86: try makeTuple(try popLast(2))
        case 0x87: try makeTuple(try popLast(3))
        case 0x91:  // FROZENSET
            _ = try popToMark()
            stack.append(.opaque)
        case UInt8(ascii: "d"):
            let items = try popToMark()
            let dictionary = heap.makeDictionary(.plain)
            try set(items, in: dictionary)
            stack.append(dictionary)
        case UInt8(ascii: "a"): try append(try popLast(1), to: try top())
        case UInt8(ascii: "e"):
            let items = try popToMark()
            try append(items, to: try top())
        case UInt8(ascii: "s"): try set(try popLast(2), in: try top())
        case UInt8(ascii: "u"):
            let items = try popToMark()
            try set(items, in: try top())
        case 0x90:  // ADDITEMS
            _ = try popToMark()
            guard case .opaque = try top() else { throw malformed("expected a set") }

        // Stack
        case UInt8(ascii: "("):
            guard marks.count < Limit.markCount else {
                throw limitExceeded("more than \(Limit.markCount) open marks")
            }
            marks.append(stack.count)
        case UInt8(ascii: "0"): _ = try pop()
        case UInt8(ascii: "1"): _ = try popToMark()
        case UInt8(ascii: "2"): stack.append(try top())

        // Memo
        case UInt8(ascii: "q"): try memoize(at: UInt64(try number(UInt8.self, bytes)))
        case UInt8(ascii: "r"): try memoize(at: UInt64(try number(UInt32.self, bytes)))
        case 0x94: try memoize(at: UInt64(memo.count))
        case UInt8(ascii: "h"): try recall(UInt64(try number(UInt8.self, bytes)))
        case UInt8(ascii: "j"): try recall(UInt64(try number(UInt32.self, bytes)))

        // Names and what is done with them
        case UInt8(ascii: "c"):
            let module = try line(bytes)
            let name = try line(bytes)
            stack.append(.global(try global(module: module, name: name)))
        case 0x93:
            let names = try popLast(2)
            guard case .string(let module) = names[0], case .string(let name) = names[1] else {
                throw malformed("expected the name of something")
            }
            stack.append(.global(try global(module: module, name: name)))
        case UInt8(ascii: "R"), 0x81:  // REDUCE, NEWOBJ
            let operands = try popLast(2)
            stack.append(try build(operands[0], arguments: operands[1]))
        case UInt8(ascii: "b"):
            let state = try popLast(1)[0]
            try set(state: state, of: try top())
        case UInt8(ascii: "Q"): stack.append(try persistentValue(try pop()))
        default:
            throw ModelFormatError(
                .forbidden,
                "\(file): byte \(position - 1): pickle operation 0x\(String(opcode, radix: 16)) is not "
                    + "one that weights need; save the state_dict alone")
        }
    }

    // MARK: - Errors

    func malformed(_ problem: String) -> ModelFormatError {
        ModelFormatError(.malformed, "\(file): pickle byte \(position): \(problem)")
    }

    func limitExceeded(_ problem: String) -> ModelFormatError {
        ModelFormatError(.limitExceeded, "\(file): pickle byte \(position): \(problem)")
    }

    // MARK: - Reading

    private mutating func number<Value: FixedWidthInteger>(
        _ type: Value.Type, _ bytes: Span<UInt8>
    ) throws(ModelFormatError) -> Value {
        guard let value = bytes.littleEndian(type, at: position) else {
            throw malformed("the pickle is cut short")
        }
        position += Value.bitWidth / 8
        return value
    }

    /// The range of the next bytes, which are passed over.
    private mutating func take(
        _ byteCount: UInt64, _ bytes: Span<UInt8>
    ) throws(ModelFormatError) -> Range<Int> {
        guard byteCount <= UInt64(max(0, bytes.count - position)) else {
            throw malformed("\(byteCount) bytes announced, \(bytes.count - position) there")
        }
        let start = position
        position += Int(byteCount)
        return start..<position
    }

    private mutating func text(
        byteCount: UInt64, _ bytes: Span<UInt8>
    ) throws(ModelFormatError) {
        guard byteCount <= UInt64(Limit.textByteCount) else {
            throw limitExceeded("a text of \(byteCount) bytes")
        }
        let range = try take(byteCount, bytes)
        if let text = bytes.text(range) {
            stack.append(.string(text))
        } else {
            stack.append(.opaque)
        }
    }

    private mutating func skipBytes(
        _ byteCount: UInt64, _ bytes: Span<UInt8>
    ) throws(ModelFormatError) {
        guard byteCount <= UInt64(Limit.textByteCount) else {
            throw limitExceeded("a value of \(byteCount) bytes")
        }
        _ = try take(byteCount, bytes)
        stack.append(.opaque)
    }

    private mutating func longInteger(
        byteCount: Int, _ bytes: Span<UInt8>
    ) throws(ModelFormatError) {
        guard byteCount >= 0 else { throw malformed("an integer of \(byteCount) bytes") }
        guard byteCount <= Limit.integerByteCount else {
            throw limitExceeded("an integer of \(byteCount) bytes")
        }
        let range = try take(UInt64(byteCount), bytes)
        guard byteCount <= 8 else {
            stack.append(.opaque)
            return
        }
        var value: UInt64 = 0
        for index in range.reversed() { value = value << 8 | UInt64(bytes[index]) }
        let shift = UInt64(64 - 8 * byteCount)
        stack.append(.integer(byteCount == 0 ? 0 : Int(Int64(bitPattern: value << shift) >> shift)))
    }

    private mutating func line(_ bytes: Span<UInt8>) throws(ModelFormatError) -> String {
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "\n") {
            position += 1
            guard position - start <= 256 else { throw limitExceeded("a name over 256 bytes") }
        }
        guard position < bytes.count, let text = bytes.text(start..<position) else {
            throw malformed("expected a name and the end of its line")
        }
        position += 1
        return text
    }

    // MARK: - Stack and memo

    /// Values above the last mark; those below belong to an unfinished container.
    private var available: Int { stack.count - (marks.last ?? 0) }

    private mutating func pop() throws(ModelFormatError) -> PickleValue {
        guard available > 0, let value = stack.popLast() else { throw malformed("stack is empty") }
        return value
    }

    private func top() throws(ModelFormatError) -> PickleValue {
        guard available > 0, let value = stack.last else { throw malformed("stack is empty") }
        return value
    }

    private mutating func popLast(_ count: Int) throws(ModelFormatError) -> [PickleValue] {
        guard available >= count else { throw malformed("stack is empty") }
        let values = Array(stack.suffix(count))
        stack.removeLast(count)
        return values
    }

    private mutating func popToMark() throws(ModelFormatError) -> [PickleValue] {
        guard let mark = marks.popLast() else { throw malformed("no open mark") }
        let values = Array(stack[mark...])
        stack.removeSubrange(mark...)
        return values
    }

    private mutating func memoize(at index: UInt64) throws(ModelFormatError) {
        guard index < UInt64(Limit.memoCount) else { throw limitExceeded("memo \(index)") }
        let value = try top()
        let index = Int(index)
        if index >= memo.count {
            memo.append(contentsOf: repeatElement(nil, count: index + 1 - memo.count))
        }
        memo[index] = value
    }

    private mutating func recall(_ index: UInt64) throws(ModelFormatError) {
        guard index < UInt64(memo.count), let value = memo[Int(index)] else {
            throw malformed("memo \(index) is empty")
        }
        stack.append(value)
    }

    private mutating func makeTuple(_ values: [PickleValue]) throws(ModelFormatError) {
        guard let tuple = heap.makeTuple(values) else { throw tooMuch() }
        stack.append(tuple)
    }

    func tooMuch() -> ModelFormatError {
        limitExceeded(
            "more than \(Limit.depth) containers in each other, \(Limit.itemCount) items or "
                + "\(Limit.tensorCount) tensors")
    }
}
