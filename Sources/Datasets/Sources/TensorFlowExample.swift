/// What a `tf.Example` of a labelled picture says.
///
/// Source: TensorFlow 2.17, `tensorflow/core/example/{example,feature}.proto`; the features' names are those of
/// TensorFlow's and NVIDIA's ImageNet scripts (`build_imagenet_data.py`).
struct TensorFlowExample {
    /// Where the encoded picture lies.
    var picture: Range<Int>?
    /// The class's number, as it is written.
    var label: Int?
    /// The class's name.
    var className: String?
    /// The picture's file.
    var fileName: String?

    /// Reads an example; `nil` where the bytes are none.
    ///
    /// A function with local variables, because Swift 6.3.1 loses what a failable initializer of this form writes
    /// to its own properties when it optimizes.
    ///
    /// - Parameters:
    ///   - bytes: what the range is of.
    ///   - range: the message.
    static func read(_ bytes: Span<UInt8>, _ range: Range<Int>) -> TensorFlowExample? {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count else { return nil }
        var result = TensorFlowExample()
        var example = WireReader(range)
        while let field = example.next(bytes) {
            guard field.number == 1, case .bytes(let features) = field.value else { continue }
            var reader = WireReader(features)
            while let entry = reader.next(bytes) {
                guard entry.number == 1, case .bytes(let inside) = entry.value else { continue }
                guard result.readEntry(bytes, inside) else { return nil }
            }
            if reader.isBroken { return nil }
        }
        return example.isBroken ? nil : result
    }

    /// Reads one feature with its name; false where the bytes are none.
    private mutating func readEntry(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var entry = WireReader(range)
        var name: String?
        var feature: Range<Int>?
        while let field = entry.next(bytes) {
            guard case .bytes(let inside) = field.value else { continue }
            if field.number == 1, inside.count <= 256 { name = bytes.text(inside) }
            if field.number == 2 { feature = inside }
        }
        guard !entry.isBroken else { return false }
        guard let name, let feature else { return true }
        switch name {
        case "image/encoded":
            guard let list = Self.list(bytes, feature, kind: 1) else { return false }
            picture = list.first
        case "image/class/label":
            guard let number = Self.integer(bytes, feature) else { return false }
            label = number
        case "image/class/text":
            guard let list = Self.list(bytes, feature, kind: 1) else { return false }
            className = list.first.flatMap { Self.shortText(bytes, $0) }
        case "image/filename":
            guard let list = Self.list(bytes, feature, kind: 1) else { return false }
            fileName = list.first.flatMap { Self.shortText(bytes, $0) }
        default: break
        }
        return true
    }

    /// A name, `nil` where it is empty, too long, or not to be shown as one line.
    private static func shortText(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String? {
        guard !range.isEmpty, range.count <= 1024, let text = bytes.text(range),
            !text.unicodeScalars.contains(where: { $0.value < 0x20 })
        else { return nil }
        return text
    }

    /// The values of a feature that is a list of bytes, at most the first; `nil` where it is broken.
    private static func list(
        _ bytes: Span<UInt8>, _ range: Range<Int>, kind: Int
    ) -> [Range<Int>]? {
        var values: [Range<Int>] = []
        var feature = WireReader(range)
        while let field = feature.next(bytes) {
            guard field.number == kind, case .bytes(let inside) = field.value else { continue }
            var list = WireReader(inside)
            while let item = list.next(bytes) {
                if item.number == 1, values.isEmpty, case .bytes(let value) = item.value {
                    values.append(value)
                }
            }
            if list.isBroken { return nil }
        }
        return feature.isBroken ? nil : values
    }

    /// The first value of a feature that is a list of whole numbers, packed or not; `nil` where there is none.
    private static func integer(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Int? {
        var feature = WireReader(range)
        var result: Int?
        while let field = feature.next(bytes) {
            guard field.number == 3, case .bytes(let inside) = field.value else { continue }
            var list = WireReader(inside)
            while let item = list.next(bytes) {
                guard item.number == 1, result == nil else { continue }
                switch item.value {
                case .number(let value): result = Int(truncatingIfNeeded: value)
                case .bytes(let packed):
                    var numbers = WireReader(packed)
                    result = numbers.nextNumber(bytes).map { Int(truncatingIfNeeded: $0) }
                case .fixed: return nil
                }
            }
            if list.isBroken { return nil }
        }
        return feature.isBroken ? nil : result
    }
}
