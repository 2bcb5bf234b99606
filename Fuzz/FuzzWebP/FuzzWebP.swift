import FuzzSupport
import Images
import Native

/// Whatever begins as a WebP must end in a picture or an error.
@main
struct FuzzWebP {
    static func main() {
        var limits = DecodeLimits.server
        limits.maximumPixelCount = 1 << 20
        limits.maximumWorkingByteCount = 16 << 20
        let decodeLimits = limits
        let transform = EvaluationTransform.standard
        runFuzzer { bytes in
            guard ImageFormat(detecting: bytes.span) == .webp else { return }
            let memory = Memory(copying: bytes)
            _ = try? Image(decoding: memory, limits: decodeLimits)
            if let image = try? Image(decoding: memory, limits: decodeLimits, damage: .accept) {
                _ = try? transform.apply(to: image)
            }
        }
    }
}
