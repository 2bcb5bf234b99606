import ModelFormats
import Native
import Tensors
import TestSupport
import Testing

@Suite("NumPy files")
struct NumPyFileTests {
    private static func file(
        _ header: String, elements: [UInt8] = [0, 0, 128, 63], version: UInt8 = 1
    ) -> [UInt8] {
        let text = Array(header.utf8)
        let length =
            version == 1 ? littleEndian(UInt16(text.count)) : littleEndian(UInt32(text.count))
        return bytes([0x93], Array("NUMPY".utf8), [version, 0], length, text, elements)
    }

    private static func failure(_ bytes: [UInt8]) -> ModelFormatError.Code? {
        do throws(ModelFormatError) {
            _ = try NumPyFile.read(Memory(copying: bytes), name: "x.npy")
            return nil
        } catch {
            return error.code
        }
    }

    @Test(
        "have NumPy's own bytes",
        arguments: [
            ("scalar", []), ("3", [3]), ("2x3", [2, 3]), ("0x4", [0, 4]),
        ] as [(String, Shape)])
    func sameBytes(name: String, shape: Shape) throws {
        let path = Fixtures.weights("\(name).npy")
        let read = try NumPyFile.read(contentsOf: path)
        #expect(read.shape == shape)
        #expect(read.floats() == (0..<shape.elementCount).map { Float($0) })
        let folder = try TemporaryFolder()
        try NumPyFile.write(read, to: folder.file("copy.npy"))
        #expect(try Fixtures.bytes(folder.file("copy.npy")) == Fixtures.bytes(path))
    }

    @Test("may be of version 2 and have their fields in any order")
    func otherForms() throws {
        let header = "{\"shape\":(1,),'fortran_order':False ,'descr': '<f4'}\n"
        let file = Memory(copying: Self.file(header, version: 2))
        #expect(try NumPyFile.read(file, name: "x").floats() == [1])
    }

    @Test(
        "that are damaged or of other types are refused",
        arguments: [
            (
                "{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}",
                ModelFormatError.Code.unsupported
            ),
            ("{'descr': '>f4', 'fortran_order': False, 'shape': (1,)}", .unsupported),
            ("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", .unsupported),
            ("{'descr': '<f4', 'fortran_order': True, 'shape': (1,)}", .unsupported),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", .sizeMismatch),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", .malformed),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,)}",
                .malformed
            ),
            (
                "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
                .malformed
            ),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", .malformed),
            ("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", .malformed),
            ("{'descr': '<f4', 'fortran_order': False}", .malformed),
            ("{'descr': '<f4', 'fortran_order': no, 'shape': (1,)}", .malformed),
            ("{'descr': '<f4, 'fortran_order': False, 'shape': (1,)}", .malformed),
            ("__import__('os').system('true')", .malformed), ("", .malformed),
        ])
    func refused(header: String, code: ModelFormatError.Code) {
        #expect(Self.failure(Self.file(header)) == code)
    }

    @Test("cut short or of another kind are refused")
    func cut() throws {
        let whole = try Fixtures.bytes(Fixtures.weights("2x3.npy"))
        #expect(Self.failure(Array(whole.dropLast())) == .sizeMismatch)
        #expect(Self.failure(whole + [0]) == .sizeMismatch)
        #expect(Self.failure(Array(whole.prefix(100))) == .malformed)
        #expect(Self.failure(Array(whole.prefix(9))) == .malformed)
        #expect(Self.failure([1, 2, 3]) == .unknownFormat)
        #expect(Self.failure(Self.file("{}", version: 3)) == .unsupported)
    }

    @Test("are not written of other element types")
    func otherTypes() throws {
        let folder = try TemporaryFolder()
        let error = #expect(throws: ModelFormatError.self) {
            try NumPyFile.write(
                HostTensor([1.0, 2.0] as [Double], shape: [2]), to: folder.file("x"))
        }
        #expect(error?.code == .unsupported)
        #expect(try folder.names() == [])
    }
}
