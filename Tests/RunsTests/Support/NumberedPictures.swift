import Datasets
import Images
import Native
import ResNetModel
import Tensors

/// A source that draws noise by a sample's place; some places hold nothing that can be decoded.
struct NumberedPictures: SampleSource {
    var side = 32
    var badPlaces: Set<Int> = []

    func content(of sample: Sample) throws(DatasetError) -> SampleContent {
        guard !badPlaces.contains(sample.place) else {
            return .encoded(Memory(copying: Array("no picture".utf8)))
        }
        do {
            return .pixels(try Self.picture(UInt64(sample.place), side: side))
        } catch {
            throw DatasetError(.badSample, "\(sample.name): \(error)")
        }
    }

    /// A picture whose pixels the seed determines.
    static func picture(_ seed: UInt64, side: Int = 32) throws(ImageError) -> Image {
        var random = RandomGenerator(seed: seed, stream: 5)
        return try Image(
            width: side, height: side,
            pixels: (0..<side * side * 3).map { _ in UInt8(truncatingIfNeeded: random.next()) })
    }

    /// A data set of so many pictures, with labels in turn.
    static func dataset(
        count: Int, classCount: Int = 10, side: Int = 32, badPlaces: Set<Int> = []
    ) -> Dataset {
        Dataset(
            name: "numbers", classNames: (0..<classCount).map { "class \($0)" },
            samples: (0..<count).map { place in
                Sample(name: "picture \(place)", label: place % classCount, place: place)
            }, source: NumberedPictures(side: side, badPlaces: badPlaces))
    }
}

/// A ResNet-18 of random weights with ten classes: the smallest network there is.
enum TinyNetwork {
    static let architecture = ResNetArchitecture(depth: .resNet18, classCount: 10)
    static let parameters = architecture.initialParameters(seed: 11)
}
