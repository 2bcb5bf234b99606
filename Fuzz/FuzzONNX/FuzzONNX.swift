import FuzzSupport
import ModelFormats
import Native
import Tensors

@main
struct FuzzONNX {
    static func main() {
        runFuzzer { bytes in
            let memory = Memory(copying: bytes)
            guard let file = try? WeightFile(reading: memory, name: "input") else { return }
            for tensor in file.tensors {
                let count = tensor.tensor.floats().count
                precondition(count == tensor.tensor.shape.elementCount, "lost elements")
            }
        }
    }
}
