import Native
import Testing

@Suite("CRC-32C")
struct CRC32CTests {
    @Test("gives the sums of RFC 3720")
    func known() {
        let ascending = (0..<32).map { UInt8($0) }
        let cases: [([UInt8], UInt32)] = [
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
            ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
            (ascending, 0x46DD_794E), (ascending.reversed(), 0x113F_DB5C),
            (Array("123456789".utf8), 0xE306_9283), ([], 0),
        ]
        for (bytes, expected) in cases {
            let sum = crc32c(bytes.span)
            #expect(sum == expected)
        }
    }

    @Test("goes on from any place")
    func continues() {
        let bytes = (0..<100).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        let whole = crc32c(bytes.span)
        for cut in 0...bytes.count {
            let head = crc32c(bytes.span.extracting(first: cut))
            let sum = crc32c(bytes.span.extracting(droppingFirst: cut), continuing: head)
            #expect(sum == whole)
        }
    }

    @Test("masks as TensorFlow does")
    func masks() {
        let masked = maskedCRC32C(Array("123456789".utf8).span)
        #expect(masked == 0xC78A_B0E5)
    }
}
