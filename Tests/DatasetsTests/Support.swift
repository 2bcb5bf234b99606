import Datasets
import Foundation
import Images
import Native
import Synchronization
import Tensors

/// Bytes or pixels that lie in memory.
struct MemorySource: SampleSource {
    let contents: [SampleContent]

    func content(of sample: Sample) throws(DatasetError) -> SampleContent {
        guard contents.indices.contains(sample.place) else {
            throw DatasetError(.notFound, "\(sample.name): there is no such place")
        }
        return contents[sample.place]
    }
}

/// Pictures that the system has no memory or no open file for.
struct ShortSource: SampleSource {
    func content(of sample: Sample) throws(DatasetError) -> SampleContent {
        throw DatasetError(.resourceExhausted, "\(sample.name): too many open files")
    }
}

/// A data set of contents whose labels go round three classes.
func dataset(_ contents: [SampleContent]) -> Dataset {
    let samples = contents.indices.map {
        Sample(name: "sample \($0)", label: $0 % 3, place: $0)
    }
    return Dataset(
        name: "memory", classNames: ["a", "b", "c"], samples: samples,
        source: MemorySource(contents: contents))
}

/// A picture of one colour that tells which sample it is, with its number in red.
func plain(_ number: Int, size: Int = 8) throws -> SampleContent {
    let pixels = (0..<size * size).flatMap { _ -> [UInt8] in [UInt8(number), 99, 7] }
    return .pixels(try Image(width: size, height: size, pixels: pixels))
}

/// Bytes that are no picture.
let garbage = SampleContent.encoded(Memory(copying: [UInt8]("<html>".utf8)))

/// The FNV-1a checksum of a batch's pixels.
func checksum(_ batch: LoadedBatch) -> UInt64 {
    let bytes = batch.images.memory.bytes
    var value: UInt64 = 0xCBF2_9CE4_8422_2325
    for index in bytes.indices { value = (value ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
    return value
}

/// All batches of an epoch, from a step on.
func epoch(_ loader: BatchLoader, _ epoch: Int, from step: Int = 0) throws -> [LoadedBatch] {
    loader.start(epoch: epoch, step: step)
    var batches: [LoadedBatch] = []
    while let batch = try loader.next() { batches.append(batch) }
    return batches
}

/// Plain pictures, and the threads that asked for them.
final class WatchedSource: SampleSource {
    private let readers = Mutex<Set<String>>([])

    func content(of sample: Sample) throws(DatasetError) -> SampleContent {
        if let thread = try? FileManager.default.destinationOfSymbolicLink(
            atPath: "/proc/thread-self")
        {
            readers.withLock { _ = $0.insert(thread) }
        }
        do {
            return try plain(sample.place)
        } catch {
            throw DatasetError(.badSample, "\(error)")
        }
    }

    /// How many threads asked.
    var readerCount: Int { readers.withLock { $0.count } }

    /// The threads that asked and have not ended.
    var livingReaders: [String] {
        readers.withLock { Array($0) }
            .filter { FileManager.default.fileExists(atPath: "/proc/\($0)") }
    }
}
