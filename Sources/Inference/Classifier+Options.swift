public import Devices
public import Images
public import ModelFormats
public import ResNetModel
package import Tensors

/// The numbers that a network computes in.
public enum Precision: String, Sendable, Hashable, CaseIterable {
    /// bfloat16 where the device is faster with it, else float32.
    case auto
    /// float32.
    case fp32
    /// bfloat16, sums in float32.
    case bf16
    /// float16, sums in float32; only GPUs compute in it.
    case fp16

    /// What it is on a device.
    package func elementType(on device: Device) -> ElementType {
        elementType(prefersBFloat16: device.prefersBFloat16)
    }

    /// What it is where bfloat16 is faster than float32, or is not.
    package func elementType(prefersBFloat16: Bool) -> ElementType {
        switch self {
        case .auto: prefersBFloat16 ? .bfloat16 : .float32
        case .fp32: .float32
        case .bf16: .bfloat16
        case .fp16: .float16
        }
    }
}

extension Classifier {
    /// How a classifier computes; the defaults suit a program on its own machine.
    public struct Options: Sendable {
        /// What it computes in.
        public var precision = Precision.auto
        /// What it computes on.
        public var device = DeviceSelection.auto
        /// How many threads compute; as many as the process has processors where `nil`.
        public var threads: Int?
        /// How many images are computed together when there are many.
        public var batchSize = 8
        /// How many classes a result lists.
        public var topCount = 5
        /// What the classes are called, where the weight file does not say or says otherwise.
        public var classNames: ClassNames?
        /// What the network is, where the weight file does not say or is wrong.
        public var variant: Variant?
        /// Which of a checkpoint's sets of weights.
        public var selection = WeightFile.Selection.default
        /// How a picture becomes the network's input; as the weight file says, else `.standard`, where `nil`.
        public var transform: EvaluationTransform?
        /// How large a picture may be; a server takes `.server`.
        public var decodeLimits = DecodeLimits.commandLine
        /// How many threads decode; as many as the process has processors where `nil`.
        public var decoderCount: Int?

        /// The defaults.
        public init() {}

        func check() throws(InferenceError) {
            let counts: [(name: String, value: Int?)] = [
                ("batch size", batchSize), ("threads", threads), ("decoder threads", decoderCount),
                ("top", topCount),
            ]
            for (name, value) in counts {
                guard let value, !(1...65_536).contains(value) else { continue }
                throw InferenceError(
                    .invalidOption, "\(name): expected 1 to 65536, found \(value)")
            }
        }
    }
}
