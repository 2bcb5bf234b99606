import Execution
import Graph
import Native
import Tensors

/// Brings a tensor to a device, its channels moved to the last place where that is how programs take it.
func upload(
    _ tensor: HostTensor, channelsLast: Bool, to device: Int, of client: PJRTClient
) throws(ExecutionError) -> PJRTBuffer {
    let tensor = channelsLast ? tensor.permuted([0, 2, 3, 1]) : tensor
    do {
        return try client.upload(
            tensor.memory, PJRTElementType(tensor.elementType),
            dimensions: tensor.shape.dimensions, device: device)
    } catch {
        throw ExecutionError(error)
    }
}

/// Copies a tensor from its device once it is there, channels moved back to the second place.
func download(
    _ buffer: PJRTBuffer, _ type: TensorType, channelsLast: Bool
) throws(ExecutionError) -> HostTensor {
    let memory: Memory
    do {
        memory = try buffer.download()
    } catch {
        throw ExecutionError(error)
    }
    let extents = type.shape.dimensions
    let shape = channelsLast ? Shape([extents[0], extents[2], extents[3], extents[1]]) : type.shape
    do {
        let tensor = try HostTensor(
            elementType: type.elementType, shape: shape, memory: memory)
        return channelsLast ? tensor.permuted([0, 3, 1, 2]) : tensor
    } catch {
        throw ExecutionError(.libraryFailure, "result: \(error.message)")
    }
}

extension HostTensor {
    /// The tensor with its four axes in another order, `order[i]` being the present place of the new axis `i`.
    func permuted(_ order: [Int]) -> HostTensor {
        switch elementType.byteCount {
        case 1: moved(UInt8.self, order)
        case 2: moved(UInt16.self, order)
        case 4: moved(UInt32.self, order)
        default: moved(UInt64.self, order)
        }
    }

    private func moved<Element: FixedWidthInteger & BitwiseCopyable>(
        _ type: Element.Type, _ order: [Int]
    ) -> HostTensor {
        let extents = shape.dimensions
        var strides = [1, 1, 1, 1]
        for axis in [2, 1, 0] { strides[axis] = strides[axis + 1] * extents[axis + 1] }
        let (to, step) = (order.map { extents[$0] }, order.map { strides[$0] })
        let source = elements(type)
        var target = [Element](repeating: 0, count: source.count)
        var place = 0
        for a in 0..<to[0] {
            for b in 0..<to[1] {
                for c in 0..<to[2] {
                    let start = a * step[0] + b * step[1] + c * step[2]
                    for d in 0..<to[3] {
                        target[place] = source[start + d * step[3]]
                        place += 1
                    }
                }
            }
        }
        return HostTensor(elementType, Shape(to), Memory(copying: target))
    }

    /// Bytes that are known to fill a shape.
    private init(_ elementType: ElementType, _ shape: Shape, _ memory: Memory) {
        do {
            self = try HostTensor(elementType: elementType, shape: shape, memory: memory)
        } catch {
            preconditionFailure("a permutation keeps the number of elements")
        }
    }
}

extension PJRTElementType {
    /// The plugin's name of an element type.
    init(_ type: ElementType) {
        switch type {
        case .float64: self = .float64
        case .float32: self = .float32
        case .bfloat16: self = .bfloat16
        case .float16: self = .float16
        case .int64: self = .int64
        case .int32: self = .int32
        case .int16: self = .int16
        case .int8: self = .int8
        case .uint8: self = .uint8
        case .bool: self = .bool
        }
    }
}
