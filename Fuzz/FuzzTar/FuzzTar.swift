import Datasets
import FuzzSupport
import Native

/// Whatever bytes a tar archive has, it opens or throws, and so does each of its pictures.
@main
struct FuzzTar {
    static func main() {
        runFuzzer { bytes in
            let memory = Memory(copying: bytes)
            guard let data = try? DataBytes.open(memory, as: "tar") else { return }
            for sample in data.samples {
                guard case .encoded(let picture) = try? data.source.content(of: sample) else {
                    continue
                }
                precondition(picture.byteCount <= bytes.count, "a picture beyond its file")
            }
        }
    }
}
