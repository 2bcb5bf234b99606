import Foundation
import Images
import Native
import Testing

@Suite("Pictures and their errors")
struct ImageTests {
    @Test("an absent file is not found")
    func reportsAbsentFile() {
        #expect(
            fails(.notFound) { () throws(ImageError) in try Image(contentsOf: "/no/such/file.jpg") }
        )
    }

    @Test("a folder is unreadable")
    func reportsFolder() {
        #expect(fails(.unreadable) { () throws(ImageError) in try Image(contentsOf: "/") })
    }

    @Test(
        "bytes of another kind are named",
        arguments: [
            ("GIF89a", "GIF"), ("BM\0\0", "BMP"), ("<!DOCTYPE html>", "web page"), ("", "empty"),
            ("%PDF-1.7", "PDF"), ("II*\0", "TIFF"), ("\0\0\0\u{18}ftypheic", "HEIC"),
            ("hello", "another kind"), ("RIFF\0\0\0\0WAVE", "RIFF"),
        ])
    func namesOtherKinds(text: String, word: String) throws {
        let error = try #require(throws: ImageError.self) {
            try Image(decoding: Memory(copying: Array(text.utf8)), name: "holiday.jpg")
        }
        #expect(error.code == .unrecognizedFormat)
        #expect(error.message.contains(word))
        #expect(error.message.contains("holiday.jpg"))
    }

    @Test("the bytes decide about the format, not the name")
    func detectsFormat() throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "images-\(ProcessInfo.processInfo.globallyUniqueString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "really-a-png.jpg")
        try Data(Fixtures.bytes("rgb-8.png")).write(to: file)
        #expect(try Image(contentsOf: file.path()).format == .png)
        #expect(try Image(contentsOf: Fixtures.path("8x8-420.jpg")).format == .jpeg)
        #expect(try Image(contentsOf: Fixtures.path("1x1-lossy.webp")).format == .webp)
    }

    @Test(
        "sizes that make no picture are refused",
        arguments: [(0, 1, 0), (1, 0, 0), (-1, -1, 3), (2, 2, 11), (1 << 32, 1 << 32, 3)])
    func refusesSizes(width: Int, height: Int, byteCount: Int) {
        let pixels = [UInt8](repeating: 0, count: byteCount)
        #expect(
            fails(.invalidArgument) { () throws(ImageError) in
                try Image(width: width, height: height, pixels: pixels)
            })
    }

    @Test("a size beyond any memory is an error")
    func reportsMemory() throws {
        let image = try Image(width: 1, height: 1, pixels: [1, 2, 3])
        let side = 1 << 24
        #expect(
            fails(.resourceExhausted) { () throws(ImageError) in
                try image.resized(width: side, height: side)
            })
        #expect(
            fails(.invalidArgument) { () throws(ImageError) in
                try image.resized(width: 0, height: 5)
            })
    }

    @Test("a flat picture stays flat in any size")
    func resizesFlatPicture() throws {
        let image = try Image(
            width: 7, height: 3, pixels: [UInt8](repeating: 201, count: 63))
        for (width, height) in [(1, 1), (2, 9), (40, 2), (64, 64)] {
            let resized = try image.resized(width: width, height: height)
            #expect(resized.width == width)
            #expect(bytes(resized.pixels) == [UInt8](repeating: 201, count: width * height * 3))
        }
    }

    @Test("a PNG gives back the same pixels")
    func encodesPNG() throws {
        let image = try Image(contentsOf: Fixtures.path("301x17-420.jpg"))
        let again = try Image(decoding: encodePNG(image))
        #expect(again.format == .png)
        #expect(again.width == 301)
        #expect(bytes(again.pixels) == bytes(image.pixels))
    }

    @Test("a JPEG gives back nearly the same pixels, the nearer the higher the quality")
    func encodesJPEG() throws {
        let image = try Image(contentsOf: Fixtures.path("64x48-420.jpg"))
        let distances = try [20, 90].map { quality in
            let again = try Image(decoding: encodeJPEG(image, quality: quality))
            #expect(again.format == .jpeg)
            #expect(again.width == 64)
            let pairs = zip(bytes(again.pixels), bytes(image.pixels))
            return pairs.reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        }
        // A mean error of 3 of 255 at high quality, which halves the colours' resolution.
        #expect(distances[1] < 3 * 64 * 48 * 3)
        #expect(distances[1] < distances[0])
    }

    @Test("what JPEG cannot hold is refused")
    func refusesToEncode() throws {
        let wide = try Image(
            width: 65_501, height: 1, pixels: [UInt8](repeating: 0, count: 65_501 * 3))
        #expect(fails(.limitExceeded) { () throws(ImageError) in try encodeJPEG(wide) })
        let dot = try Image(width: 1, height: 1, pixels: [1, 2, 3])
        for quality in [0, 101] {
            #expect(
                fails(.invalidArgument) { () throws(ImageError) in
                    try encodeJPEG(dot, quality: quality)
                })
        }
    }

    private func fails<Result>(
        _ code: ImageError.Code, _ body: () throws(ImageError) -> Result
    ) -> Bool {
        do throws(ImageError) {
            _ = try body()
            return false
        } catch {
            return error.code == code && !error.message.isEmpty
        }
    }
}
