import FuzzSupport
import ModelFormats
import Native
import Tensors

/// An index and its file of elements: the index, the elements, three bytes that say how long the index is, and one that says
/// what it is: 1 or 2 for the one block of an index, plain or of snappy, that is put into a table here.
///
/// Whatever is changed in a whole index ends at a checksum.
@main
struct FuzzTensorBundle {
    static func main() {
        runFuzzer { bytes in
            let count = bytes.dropLast().suffix(3).reversed().reduce(0) { $0 << 8 | Int($1) }
            let contents = bytes.dropLast(4)
            let start = Array(contents.prefix(count))
            let index: Memory
            switch bytes.last ?? 0 {
            case 1: index = Memory(copying: SortedTable.encode(block: start, compression: 0))
            case 2: index = Memory(copying: SortedTable.encode(block: start, compression: 1))
            default: index = Memory(copying: start)
            }
            let elements = Memory(copying: Array(contents.dropFirst(count)))
            let bundle = try? TensorBundle(index: index, name: "input") {
                (_, _) throws(ModelFormatError) in elements
            }
            for entry in bundle?.entries ?? [] {
                if let tensor = try? bundle?.tensor(entry) {
                    let found = tensor.floats().count
                    precondition(found == tensor.shape.elementCount, "lost elements")
                }
                _ = try? bundle?.text(entry)
            }
            _ = try? tensorFlowNetwork(index: index, elements: elements, name: "input")
        }
    }
}
