import FuzzSupport
import Images
import Native

@main
struct FuzzPNG {
    static func main() {
        runFuzzer { _ in }
    }
}
