import Datasets
import FuzzSupport
import Native

/// Whatever bytes a list has, it opens or throws, and no picture that it names lies outside its folder.
@main
struct FuzzList {
    static func main() {
        runFuzzer { bytes in
            guard let data = try? DataBytes.open(Memory(copying: bytes), as: "list") else { return }
            let slash = UInt8(ascii: "/")
            let outer = Array("..".utf8)
            for sample in data.samples {
                let name = Array(sample.name.utf8)
                let parts = name.split(separator: slash, omittingEmptySubsequences: false)
                precondition(name.first != slash && name.count <= bytes.count, "another name")
                precondition(!parts.contains { $0.elementsEqual(outer) }, "a way out")
            }
        }
    }
}
