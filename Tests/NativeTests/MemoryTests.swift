import Native
import Testing

@Suite("Memory")
struct MemoryTests {
    @Test("holds the bits of one element, given as a literal or not")
    func oneElement() {
        let whole = Memory(copying: [-5 as Int64])
        #expect(whole.array == [0xFB] + [UInt8](repeating: 0xFF, count: 7))
        let number = Memory(copying: [1 as Float])
        #expect(number.array == [0, 0, 0x80, 0x3F])
        let made = Memory(copying: (0..<1).map { Int64($0) - 5 })
        #expect(made.array == whole.array)
        let first = whole.span(of: Int64.self)[0]
        #expect(first == -5)
    }

    @Test("holds elements in order, and none of none")
    func elements() {
        let several = Memory(copying: [1, 0x0203, 0xFFFF] as [UInt16])
        #expect(several.array == [1, 0, 3, 2, 0xFF, 0xFF])
        let none = Memory(copying: [] as [Int32])
        #expect(none.byteCount == 0)
        #expect(none.array == [])
    }

    @Test("is cut only within its bounds")
    func slices() {
        let memory = Memory(copying: [1, 2, 3] as [UInt8])
        let middle = memory.slice(offset: 1, byteCount: 2)?.array
        #expect(middle == [2, 3])
        let empty = memory.slice(offset: 3, byteCount: 0)?.array
        #expect(empty == [])
        for (offset, byteCount) in [(-1, 1), (0, 4), (4, 0), (1, -1), (2, .max)] {
            let outside = memory.slice(offset: offset, byteCount: byteCount)
            #expect(outside == nil)
        }
    }
}
