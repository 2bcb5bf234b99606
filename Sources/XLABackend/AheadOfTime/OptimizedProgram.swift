/// What XLA made of a program, as far as reports need it.
///
/// Source of the field numbers: XLA's `hlo.proto` and `xla_data.proto`.
package struct OptimizedProgram {
    /// Extents and element type, or several of them.
    struct ShapeFact: Equatable {
        var elementType = 0
        var extents: [Int] = []
        var order: [Int] = []
        var parts: [ShapeFact] = []

        /// Bytes of all parts together; of a damaged module any number.
        var byteCount: Int {
            parts.isEmpty
                ? elementCount &* Self.byteCounts[elementType, default: 0]
                : parts.reduce(0) { $0 &+ $1.byteCount }
        }

        /// Elements of one part.
        var elementCount: Int {
            extents.reduce(1) { $0.multipliedReportingOverflow(by: $1).partialValue }
        }

        /// By XLA's numbers: truth values, integers and floating-point numbers.
        private static let byteCounts = [
            1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 2, 8: 4, 9: 8, 10: 2, 11: 4, 12: 8, 16: 2,
        ]
        /// XLA's number of float32.
        static let float32 = 11
    }

    /// An operation of the optimised program.
    struct Instruction {
        var id = 0
        var name = ""
        var opcode = ""
        var shape = ShapeFact()
        var operands: [Int] = []
        var calls: [Int] = []
        var target = ""
        /// The place of a parameter among its computation's.
        var parameter = 0
    }

    /// The instructions of each computation, by its number.
    private(set) var computations: [Int: [Instruction]] = [:]
    /// The computation that a run starts with.
    private(set) var entry = 0

    /// Reads XLA's module, as it is or with its configuration around it.
    package init(_ bytes: [UInt8]) {
        var fields = Self.fields(bytes[...])
        // With its configuration, the module is the first of two parts, and has no name of its own.
        if fields.bytes[3] == nil, let inner = fields.bytes[1]?.first {
            fields = Self.fields(inner)
        }
        entry = Int(truncatingIfNeeded: fields.numbers[6] ?? 0)
        for computation in fields.bytes[3] ?? [] {
            let parts = Self.fields(computation)
            let id = Int(truncatingIfNeeded: parts.numbers[5] ?? 0)
            computations[id] = (parts.bytes[2] ?? []).map(Self.instruction)
        }
    }

    /// Bytes that a fused kernel reads of each operand: of one that it only cuts parts from, the parts.
    func bytesRead(by fusion: Instruction, _ operands: [ShapeFact]) -> Int {
        let body = fusion.calls.first.flatMap { computations[$0] } ?? []
        return operands.enumerated().reduce(0) { total, operand in
            let parameter = body.first {
                $0.opcode == "parameter" && $0.parameter == operand.offset
            }
            let readers = parameter.map { parameter in
                body.filter { $0.operands.contains(parameter.id) }
            }
            guard let readers, !readers.isEmpty, readers.allSatisfy({ $0.opcode == "slice" }) else {
                return total &+ operand.element.byteCount
            }
            return total &+ readers.reduce(0) { $0 &+ $1.shape.byteCount }
        }
    }

    private static func instruction(_ bytes: ArraySlice<UInt8>) -> Instruction {
        let fields = fields(bytes)
        var instruction = Instruction()
        instruction.id = Int(truncatingIfNeeded: fields.numbers[35] ?? 0)
        instruction.name = fields.text(1)
        instruction.opcode = fields.text(2)
        instruction.target = fields.text(28)
        instruction.parameter = Int(truncatingIfNeeded: fields.numbers[9] ?? 0)
        if let shape = fields.bytes[3]?.first { instruction.shape = Self.shape(shape) }
        instruction.operands = fields.list(36)
        instruction.calls = fields.list(38)
        return instruction
    }

    private static func shape(_ bytes: ArraySlice<UInt8>) -> ShapeFact {
        let fields = fields(bytes)
        var shape = ShapeFact()
        shape.elementType = Int(truncatingIfNeeded: fields.numbers[2] ?? 0)
        shape.extents = fields.list(3)
        shape.parts = (fields.bytes[4] ?? []).map(Self.shape)
        if let layout = fields.bytes[5]?.first { shape.order = Self.fields(layout).list(1) }
        return shape
    }

    /// A message's fields by number: the last of numbers, all of others.
    private struct Fields {
        var numbers: [Int: UInt64] = [:]
        var repeated: [Int: [UInt64]] = [:]
        var bytes: [Int: [ArraySlice<UInt8>]] = [:]

        func text(_ number: Int) -> String {
            bytes[number]?.last.map { String(decoding: $0, as: UTF8.self) } ?? ""
        }

        /// Repeated numbers, packed or not.
        func list(_ number: Int) -> [Int] {
            let packed = (bytes[number] ?? []).flatMap(WireReader.packed)
            return (packed + (repeated[number] ?? [])).map { Int(truncatingIfNeeded: $0) }
        }
    }

    private static func fields(_ bytes: ArraySlice<UInt8>) -> Fields {
        var reader = WireReader(bytes)
        var fields = Fields()
        while let field = reader.next() {
            switch field {
            case .number(let number, let value):
                fields.numbers[number] = value
                fields.repeated[number, default: []].append(value)
            case .bytes(let number, let value): fields.bytes[number, default: []].append(value)
            }
        }
        return fields
    }
}
