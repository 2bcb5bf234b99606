import Native
import Testing

@Suite("PJRT buffers", .withCPUPlugin)
struct PJRTBufferTests {
    @Test("know what they hold", arguments: PJRTElementType.allCases)
    func describesItself(type: PJRTElementType) throws {
        let client = try CPUPlugin.shared.get()
        let bytes = [UInt8](repeating: 1, count: 6 * type.byteCount)
        let buffer = try client.upload(Memory(copying: bytes), type, dimensions: [3, 2], device: 1)
        #expect(buffer.elementType == type)
        #expect(buffer.dimensions == [3, 2])
        #expect(buffer.byteCount == bytes.count)
        #expect(buffer.device == 1)
        #expect(!buffer.isDeleted)
        try buffer.wait()
        let back = try buffer.download()
        #expect((0..<back.byteCount).map { back.bytes[$0] } == bytes)
    }

    @Test("may be scalars, or empty")
    func unusualShapes() throws {
        let client = try CPUPlugin.shared.get()
        #expect(try client.upload([4], []).floats() == [4])
        #expect(try client.upload([], [2, 0, 3]).floats().isEmpty)
    }

    @Test("keep the bytes alive that they are made from")
    func keepsBytes() throws {
        let client = try CPUPlugin.shared.get()
        let buffers = try (0..<8).map { number in
            // Large enough that the plugin copies it after the call.
            try client.upload([Float](repeating: Float(number), count: 1 << 20), [1 << 20])
        }
        for (number, buffer) in buffers.enumerated() {
            let values = try buffer.floats()
            #expect(values.count == 1 << 20)
            #expect(values.allSatisfy { $0 == Float(number) })
        }
    }

    @Test("of copied bytes do not change with them")
    func copies() throws {
        let client = try CPUPlugin.shared.get()
        var memory = MutableMemory(byteCount: 4 << 20)
        let buffer = try client.upload(
            copying: memory.span(of: UInt8.self), .uint8, dimensions: [4 << 20])
        var bytes = memory.mutableSpan(of: UInt8.self)
        for index in bytes.indices { bytes[index] = 7 }
        let back = try buffer.download()
        let span = back.bytes
        #expect(span.indices.allSatisfy { span[$0] == 0 })
    }

    @Test("have as many bytes as their shape takes")
    func sizeMismatch() throws {
        let client = try CPUPlugin.shared.get()
        for dimensions in [[3], [1, 3], [-2, -1], [], [Int.max, 2]] {
            let error = #expect(throws: NativeError.self) {
                _ = try client.upload([1, 2], dimensions)
            }
            #expect(error?.code == .invalidArgument)
        }
        let error = #expect(throws: NativeError.self) {
            _ = try client.upload([1, 2], [2], device: 2)
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("device 2") == true)
    }

    @Test("are read row by row, however the device lays them out")
    func layout() throws {
        let client = try CPUPlugin.shared.get()
        let executable = try client.compile(Program.otherLayout)
        let argument = try client.upload([1, 2, 3, 4, 5, 6], [2, 3])
        let result = try executable.run([[argument]])[0][0]
        #expect(try result.floats() == [2, 4, 6, 8, 10, 12])
    }
}
