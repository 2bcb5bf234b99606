extension ONNXNodeProto {
    /// What messages call it: its name, else what it makes.
    var label: String {
        let label = name.isEmpty ? output.first ?? "" : name
        return "node \(label.prefix(120)) (\(opType.prefix(40)))"
    }

    /// An attribute by name.
    func attribute(_ name: String) -> ONNXAttributeProto? { attribute.first { $0.name == name } }

    /// A whole number, or the operator's default.
    func integer(_ name: String, default standard: Int) -> Int {
        attribute(name).map { Int(clamping: $0.i) } ?? standard
    }

    /// A number, or the operator's default.
    func number(_ name: String, default standard: Float) -> Float {
        attribute(name)?.f ?? standard
    }

    /// Whole numbers; `nil` where the attribute is absent.
    func integers(_ name: String) -> [Int]? {
        attribute(name)?.ints.map { Int(clamping: $0) }
    }

    /// A text, or the operator's default.
    func text(_ name: String, default standard: String) -> String {
        attribute(name).map { String(decoding: $0.s, as: UTF8.self) } ?? standard
    }
}
