import Tensors
import Testing

@Suite("Rows of tensors")
struct HostTensorRowsTests {
    private let tensor = HostTensor([0, 1, 2, 3, 4, 5] as [Float], shape: [3, 2])

    @Test("are consecutive slices along the first axis")
    func rows() {
        #expect(tensor.rows(1..<3).shape == [2, 2])
        #expect(tensor.rows(1..<3).floats() == [2, 3, 4, 5])
        #expect(tensor.rows(1..<2).rows(0..<1).floats() == [2, 3])
        #expect(tensor.rows(2..<2).shape == [0, 2] && tensor.rows(2..<2).floats().isEmpty)
        let bytes = HostTensor([7, 8, 9] as [UInt8], shape: [3])
        #expect(bytes.rows(1..<2).elements(UInt8.self) == [8])
    }

    @Test("are put after each other again")
    func concatenation() {
        let joined = HostTensor(concatenating: [tensor.rows(1..<3), tensor.rows(0..<1), tensor])
        #expect(joined.shape == [6, 2] && joined.elementType == .float32)
        #expect(joined.floats() == [2, 3, 4, 5, 0, 1, 0, 1, 2, 3, 4, 5])
        let bytes = HostTensor([7, 8, 9] as [UInt8], shape: [3])
        let parts = [bytes.rows(2..<3), bytes.rows(0..<0), bytes.rows(0..<2)]
        #expect(HostTensor(concatenating: parts).elements(UInt8.self) == [9, 7, 8])
    }

    @Test("lend their first elements to other shapes")
    func prefix() {
        #expect(tensor.prefix(shapedAs: [2, 2, 1]).floats() == [0, 1, 2, 3])
        #expect(tensor.prefix(shapedAs: []).floats() == [0])
        #expect(HostTensor(repeating: 0.5, shape: [2]).floats() == [0.5, 0.5])
    }
}
