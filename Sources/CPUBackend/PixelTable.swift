import Native
import Tensors

/// Normalised pixels: a byte has 256 values, so each channel has 256 results.
enum PixelTable {
    /// The number of each of 256 pixel values, as PyTorch computes it: in float32, divided, then shifted, then
    /// divided again.
    static func memory(
        mean: [Double], deviation: [Double], element: KernelElement
    ) -> Memory {
        var table: [Float] = []
        for (mean, deviation) in zip(mean, deviation) {
            for value in 0..<256 {
                table.append((Float(value) / 255 - Float(mean)) / Float(deviation))
            }
        }
        switch element {
        case .float32: return Memory(copying: table)
        case .bfloat16: return Memory(copying: table.map { BFloat16($0).bitPattern })
        }
    }
}
