import FuzzSupport
import Images
import Native

@main
struct FuzzJPEG {
    static func main() {
        runFuzzer { _ in }
    }
}
