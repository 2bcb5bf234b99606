import Native
import Tensors

/// Makes tensors of a PyTorch file's storages: parts of the file where the elements stand in order, copies
/// within a budget where they do not (transposed, or channels last).
struct TensorBuilder {
    private let pickle: PyTorchPickle
    private var storages: [String: Memory] = [:]
    /// Bytes that may still be copied; a few bytes of file must not become gigabytes of tensors.
    private var budget: Int

    /// - Parameters:
    ///   - pickle: the file.
    ///   - byteCount: its size.
    init(_ pickle: PyTorchPickle, fileByteCount byteCount: Int) {
        self.pickle = pickle
        budget = 2 * byteCount + (16 << 20)
    }

    /// Makes the tensor that the pickle describes.
    ///
    /// - Throws: `ModelFormatError` with code `.missingEntry`, `.sizeMismatch`, `.checksumMismatch` or
    ///   `.limitExceeded`.
    mutating func tensor(
        _ description: PickleTensor, name: String
    ) throws(ModelFormatError) -> HostTensor {
        let storage = pickle.heap.storages[description.storage]
        let elementType = storage.elementType.elementType
        // Two types may share a storage, whose size each states in its own elements.
        let key = "\(storage.elementType.rawValue) \(storage.count) \(storage.key)"
        let memory: Memory
        if let known = storages[key] {
            memory = known
        } else {
            memory = try pickle.bytes(of: storage)
            storages[key] = memory
        }
        do {
            let shape = try Shape(validating: description.sizes)
            let bytes: Memory
            if let part = part(description, shape, elementType.byteCount, memory) {
                bytes = part
            } else {
                bytes = try gather(description, shape, elementType.byteCount, key: key, name: name)
            }
            return try HostTensor(elementType: elementType, shape: shape, memory: bytes)
        } catch let error as ModelFormatError {
            throw error
        } catch {
            // A shape or size that the machine let through: it checks both.
            throw ModelFormatError(.sizeMismatch, "\(pickle.file): \(name): \(error)")
        }
    }

    /// The storage's part that the tensor is, where its elements stand in row-major order.
    private func part(
        _ description: PickleTensor, _ shape: Shape, _ width: Int, _ memory: Memory
    ) -> Memory? {
        var expected = 1
        for (size, stride) in zip(description.sizes, description.strides).reversed()
        where size != 1 && shape.elementCount > 0 {
            guard stride == expected else { return nil }
            expected *= size
        }
        // The machine checked the offset and the sizes against the storage.
        return memory.slice(
            offset: description.offset * width, byteCount: shape.elementCount * width)
    }

    private mutating func gather(
        _ description: PickleTensor, _ shape: Shape, _ width: Int, key: String, name: String
    ) throws(ModelFormatError) -> Memory {
        guard var memory = storages[key] else {
            throw ModelFormatError(.missingEntry, "\(pickle.file): \(name): no storage")
        }
        let (byteCount, overflow) = shape.elementCount.multipliedReportingOverflow(by: width)
        try spend(overflow ? .max : byteCount, name: name)
        if !memory.isAligned(for: UInt64.self) {
            try spend(memory.byteCount, name: name)
            memory = Memory(copying: memory.bytes)
            storages[key] = memory
        }
        switch width {
        case 1: return gathered(UInt8.self, description, memory, shape)
        case 2: return gathered(UInt16.self, description, memory, shape)
        case 4: return gathered(UInt32.self, description, memory, shape)
        default: return gathered(UInt64.self, description, memory, shape)
        }
    }

    private mutating func spend(_ byteCount: Int, name: String) throws(ModelFormatError) {
        // Every copy takes whole pages.
        let cost = max(byteCount, 4096)
        guard cost <= budget else {
            throw ModelFormatError(
                .limitExceeded,
                "\(pickle.file): \(name): its elements are not in row-major order and would take "
                    + "\(byteCount) bytes as a copy; save the weights with contiguous()")
        }
        budget -= cost
    }

    private func gathered<Element: BitwiseCopyable & FixedWidthInteger>(
        _ type: Element.Type, _ description: PickleTensor, _ memory: Memory, _ shape: Shape
    ) -> Memory {
        let source = memory.span(of: type)
        let sizes = description.sizes
        let strides = description.strides
        var result = MutableMemory(byteCount: shape.elementCount * (Element.bitWidth / 8))
        var target = result.mutableSpan(of: type)
        var place = [Int](repeating: 0, count: sizes.count)
        var offset = description.offset
        let last = sizes.count - 1
        var written = 0
        while written < shape.elementCount {
            for index in 0..<sizes[last] {
                target[written] = source[offset + index * strides[last]]
                written += 1
            }
            // The next row: count up from the innermost but one.
            var axis = last - 1
            while axis >= 0 {
                place[axis] += 1
                offset += strides[axis]
                if place[axis] < sizes[axis] { break }
                offset -= place[axis] * strides[axis]
                place[axis] = 0
                axis -= 1
            }
        }
        return result.finish()
    }
}
