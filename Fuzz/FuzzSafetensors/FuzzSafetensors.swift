import FuzzSupport
import ModelFormats
import Native
import Tensors

@main
struct FuzzSafetensors {
    static func main() {
        runFuzzer { bytes in
            let memory = Memory(copying: bytes)
            guard let contents = try? Safetensors.read(memory, name: "input") else { return }
            for tensor in contents.tensors {
                let count = tensor.tensor.floats().count
                precondition(count == tensor.tensor.shape.elementCount, "lost elements")
            }
        }
    }
}
