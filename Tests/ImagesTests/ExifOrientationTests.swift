import Images
import Native
import Testing

@Suite("EXIF orientation")
struct ExifOrientationTests {
    @Test("is read in both byte orders", arguments: 1...8)
    func readsBothOrders(orientation: Int) {
        for isBigEndian in [true, false] {
            #expect(
                read(HandMade.exif(orientation: orientation, isBigEndian: isBigEndian))
                    == orientation)
        }
    }

    @Test("is 1 where the tag holds another number", arguments: [0, 9, 255, 65_535])
    func ignoresOtherNumbers(value: Int) {
        #expect(read(HandMade.exif(orientation: value)) == 1)
    }

    @Test("is 1 where the data end too early")
    func ignoresTruncatedData() {
        let whole = HandMade.exif(orientation: 6)
        // The value is the last number but the next directory's offset, 2 + 4 bytes.
        for count in 0..<whole.count - 6 {
            #expect(read(Array(whole.prefix(count))) == 1)
        }
        #expect(read(whole) == 6)
    }

    @Test("is 1 where the directory lies outside or lists more than there is")
    func ignoresBadDirectories() {
        var far = HandMade.exif(orientation: 6)
        far.replaceSubrange(10..<14, with: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(read(far) == 1)
        var long = HandMade.exif(orientation: 6)
        long.replaceSubrange(14..<16, with: [0xFF, 0xFF])
        long[17] = 0x13
        #expect(read(long) == 1)
    }

    @Test("moves each pixel of a 2 x 3 picture to its place", arguments: 1...8)
    func turns(orientation: Int) throws {
        // A PNG of the grey values 1 2 / 3 4 / 5 6, and the rows that each orientation shows.
        let rows: [UInt8] = [0, 1, 2, 0, 3, 4, 0, 5, 6]
        let exif = Array(HandMade.exif(orientation: orientation).dropFirst(6))
        let file =
            HandMade.pngSignature + HandMade.pngHeader(width: 2, height: 3, colorType: 0)
            + HandMade.chunk("eXIf", exif) + HandMade.chunk("IDAT", HandMade.stored(rows))
            + HandMade.chunk("IEND", [])
        let expected: [[UInt8]] = [
            [1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 6, 5], [6, 5, 4, 3, 2, 1], [5, 6, 3, 4, 1, 2],
            [1, 3, 5, 2, 4, 6], [5, 3, 1, 6, 4, 2], [6, 4, 2, 5, 3, 1], [2, 4, 6, 1, 3, 5],
        ]
        let image = try Image(decoding: Memory(copying: file))
        #expect(image.orientation == orientation)
        #expect(image.width == (orientation >= 5 ? 3 : 2))
        #expect(image.height == (orientation >= 5 ? 2 : 3))
        let pixels = bytes(image.pixels)
        #expect(stride(from: 0, to: 18, by: 3).map { pixels[$0] } == expected[orientation - 1])
    }

    private func read(_ bytes: [UInt8]) -> Int { ExifOrientation.read(bytes.span) }
}
