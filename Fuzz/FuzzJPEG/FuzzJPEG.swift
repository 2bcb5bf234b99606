import FuzzSupport
import Images
import Native
import Tensors

/// Whatever begins as a JPEG must end in a picture or an error.
@main
struct FuzzJPEG {
    static func main() {
        var limits = DecodeLimits.server
        limits.maximumPixelCount = 1 << 20
        limits.maximumWorkingByteCount = 16 << 20
        let decodeLimits = limits
        let transform = EvaluationTransform.standard
        let training = try? TrainingTransform(size: 32, crop: RandomCrop(area: 0.01...1))
        runFuzzer { bytes in
            guard ImageFormat(detecting: bytes.span) == .jpeg else { return }
            let memory = Memory(copying: bytes)
            _ = try? Image(decoding: memory, limits: decodeLimits)
            if let image = try? Image(decoding: memory, limits: decodeLimits, damage: .accept) {
                _ = try? transform.apply(to: image)
            }
            // The part that a crop needs, in a size and place that depend on the bytes.
            var random = RandomGenerator(
                seed: UInt64(bytes.count), stream: UInt64(bytes[bytes.count / 2]))
            _ = try? training?.apply(
                decoding: memory, limits: decodeLimits, damage: .acceptUnlessCut, random: &random)
        }
    }
}
