import FuzzSupport
import ModelFormats
import Native

@main
struct FuzzSavedModel {
    static func main() {
        runFuzzer { bytes in
            _ = try? SavedModelGraph(Memory(copying: bytes), name: "input")
        }
    }
}
