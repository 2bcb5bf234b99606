import FuzzSupport
import Images
import Native

@main
struct FuzzWebP {
    static func main() {
        runFuzzer { _ in }
    }
}
