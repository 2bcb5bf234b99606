import Native
import Tensors
import Testing

@Suite("Axes in another order")
struct HostTensorTranspositionTests {
    static let cases: [(shape: [Int], order: [Int])] = [
        ([3, 3, 5, 40], [3, 2, 0, 1]), ([40, 5, 3, 3], [2, 3, 1, 0]),
        ([1, 1, 33, 17], [3, 2, 0, 1]),
        ([17, 33], [1, 0]), ([4, 1, 6], [0, 2, 1]), ([2, 3, 4], [0, 1, 2]), ([], []),
        ([0, 3], [1, 0]),
        ([2, 3, 4, 5], [1, 3, 0, 2]), ([2, 3, 4], [2, 0, 1]), ([7], [0]),
    ]

    @Test("each element goes where its indices say", arguments: cases.indices)
    func values(index: Int) throws {
        let (extents, order) = Self.cases[index]
        let shape = Shape(extents)
        let tensor = HostTensor((0..<shape.elementCount).map { Float($0) }, shape: shape)
        let found = tensor.transposed(order)
        #expect(found.shape.dimensions == order.map { extents[$0] })
        var expected: [Float] = []
        for place in 0..<shape.elementCount {
            var rest = place
            var source = [Int](repeating: 0, count: extents.count)
            for axis in order.reversed() {
                source[axis] = rest % extents[axis]
                rest /= extents[axis]
            }
            var number = 0
            for axis in extents.indices { number = number * extents[axis] + source[axis] }
            expected.append(Float(number))
        }
        #expect(found.floats() == expected)
    }

    @Test("of an empty tensor, whatever its other extents are")
    func empty() throws {
        let extents = [0, 1 << 40, 1 << 40]
        let tensor = try HostTensor(
            elementType: .float32, shape: Shape(validating: extents),
            memory: Memory(copying: [] as [Float]))
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let found = tensor.transposed(order)
            #expect(found.shape.dimensions == order.map { extents[$0] })
            #expect(found.shape.elementCount == 0)
            #expect(found.memory.byteCount == 0)
        }
    }

    @Test("of elements of every width, also where the bytes are not aligned")
    func widths() throws {
        let halves = try HostTensor(
            elementType: .float16, shape: [2, 2], memory: Memory(copying: [1, 2, 3, 4] as [UInt16]))
        #expect(halves.transposed([1, 0]).elements(UInt16.self) == [1, 3, 2, 4])
        let bytes = HostTensor([1, 2, 3, 4] as [UInt8], shape: [2, 2])
        #expect(bytes.transposed([1, 0]).elements(UInt8.self) == [1, 3, 2, 4])
        let wide = HostTensor([1, 2, 3, 4] as [Double], shape: [2, 2])
        #expect(wide.transposed([1, 0]).doubles() == [1, 3, 2, 4])
        let shifted = Memory(
            copying: [9] + [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0] as [UInt8])
        let odd = try HostTensor(
            elementType: .int32, shape: [2, 2],
            memory: try #require(shifted.slice(offset: 1, byteCount: 16)))
        #expect(odd.transposed([1, 0]).doubles() == [1, 3, 2, 4])
    }

    @Test("of integers, read where they are not aligned")
    func unaligned() throws {
        let shifted = Memory(copying: [9, 0xFB] + [UInt8](repeating: 0xFF, count: 7))
        let whole = try HostTensor(
            elementType: .int64, shape: [],
            memory: try #require(shifted.slice(offset: 1, byteCount: 8)))
        let found = whole.elements(Int64.self)
        #expect(found == [-5])
        let wide = whole.doubles()
        #expect(wide == [-5])
        let same = whole.transposed([]).elements(Int64.self)
        #expect(same == [-5])
    }
}
