import FuzzSupport
import ModelFormats
import Native
import Tensors

@main
struct FuzzPyTorch {
    static func main() {
        runFuzzer { bytes in
            let memory = Memory(copying: bytes)
            for selection in WeightFile.Selection.allCases {
                let file = try? WeightFile(reading: memory, name: "input", selection: selection)
                for tensor in file?.tensors ?? [] {
                    let count = tensor.tensor.floats().count
                    precondition(count == tensor.tensor.shape.elementCount, "lost elements")
                }
            }
        }
    }
}
