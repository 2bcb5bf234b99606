import Native
import Testing

@Suite("PJRT compile options")
struct PJRTCompileOptionsTests {
    /// Field 3: device -1, and numbers of replicas and partitions.
    private func build(replicas: UInt8) -> [UInt8] {
        [0x1A, 15, 0x08] + [UInt8](repeating: 0xFF, count: 9) + [0x01, 0x20, replicas, 0x28, 1]
    }

    @Test("are never empty")
    func plain() {
        #expect(PJRTCompileOptions().serialized == build(replicas: 1))
        #expect(PJRTCompileOptions(replicas: 8).serialized == build(replicas: 8))
    }

    @Test("hold more than 127 replicas in two bytes")
    func manyReplicas() {
        let bytes = PJRTCompileOptions(replicas: 300).serialized
        #expect(bytes.count == 18)
        #expect(Array(bytes.suffix(5)) == [0x20, 0xAC, 0x02, 0x28, 1])
    }

    @Test(
        "hold flags of every kind",
        arguments: [
            (PJRTValue.text("xy"), [0x0A, 2, 0x78, 0x79] as [UInt8]),
            (.flag(true), [0x10, 1]), (.flag(false), [0x10, 0]),
            (.number(300), [0x18, 0xAC, 0x02]),
            (.number(-1), [0x18] + [UInt8](repeating: 0xFF, count: 9) + [1]),
            (.numbers([1, -2]), [0x0A, 4] + Array("1,-2".utf8)),
            (.real(0.5), [0x21, 0, 0, 0, 0, 0, 0, 0xE0, 0x3F]),
        ])
    func flags(value: PJRTValue, bytes: [UInt8]) {
        let count = UInt8(bytes.count)
        let entry = [0x0A, 1, UInt8(ascii: "f"), 0x12, count] + bytes
        #expect(
            PJRTCompileOptions(flags: ["f": value]).serialized
                == build(replicas: 1) + [0x3A, count + 5] + entry)
    }

    @Test("have flags in the order of their names, so that equal options are equal bytes")
    func order() {
        let flags: [String: PJRTValue] = ["b": .flag(true), "a": .flag(true), "c": .flag(true)]
        var entries: [UInt8] = []
        for name in "abc".utf8 { entries += [0x3A, 7, 0x0A, 1, name, 0x12, 2, 0x10, 1] }
        #expect(PJRTCompileOptions(flags: flags).serialized == build(replicas: 1) + entries)
    }
}
