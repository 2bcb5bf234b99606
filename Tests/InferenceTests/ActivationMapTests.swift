import Images
import Inference
import Native
import Testing

@Suite("Activation map")
struct ActivationMapTests {
    @Test("weighs each feature's activations with the class's row")
    func weighs() {
        let activations: [Float] = [9, 1, 2, 3, 4, 10, 20, 30, 40]
        let map = ActivationMap(
            classIndex: 3, weights: [2, -0.5], activations: activations[1...], width: 2, height: 2)
        #expect(map.values == [-3, -6, -9, -12])
        #expect(map.normalized == [1, 2.0 / 3, 1.0 / 3, 0])
    }

    @Test("of one value everywhere is zero when normalised")
    func isFlat() {
        let map = ActivationMap(
            classIndex: 0, weights: [1], activations: [5, 5], width: 2, height: 1)
        #expect(map.normalized == [0, 0])
    }

    @Test("colours the picture from dark purple to light yellow, evenly in between")
    func colours() throws {
        let map = ActivationMap(
            classIndex: 0, weights: [1], activations: [0, 1], width: 2, height: 1)
        let black = try Image(
            width: 8, height: 2, pixels: [UInt8](repeating: 0, count: 48))
        let pixels = try map.overlay(on: black, opacity: 1).pixels.bytes
        let row = (0..<8).map { x in (0..<3).map { Int(pixels[x * 3 + $0]) } }
        // A quarter of the picture lies outside the centres of the map's two places: flat there.
        #expect(row[0] == row[1] && row[6] == row[7])
        #expect(row[0][2] > row[0][1], "purple is more blue than green")
        #expect(row[7][0] > 200 && row[7][1] > 190 && row[7][2] < 160, "yellow: \(row[7])")
        let sums = row.map { $0.reduce(0, +) }
        #expect(zip(sums, sums.dropFirst()).allSatisfy { $0 <= $1 })
    }

    @Test("hides nothing of the picture at opacity 0")
    func isTransparent() throws {
        let map = ActivationMap(
            classIndex: 0, weights: [1], activations: [0, 1, 2, 3], width: 2, height: 2)
        let values = (0..<27).map { UInt8($0 * 9) }
        let picture = try Image(width: 3, height: 3, pixels: values)
        let overlay = try map.overlay(on: picture, opacity: 0)
        #expect((0..<27).map { overlay.pixels.bytes[$0] } == values)
    }

    @Test("of numbers that are not finite makes a picture all the same")
    func survives() throws {
        let map = ActivationMap(
            classIndex: 0, weights: [1], activations: [.nan, .infinity, -.infinity, 1], width: 2,
            height: 2)
        let picture = try Image(width: 4, height: 4, pixels: [UInt8](repeating: 7, count: 48))
        #expect(try map.overlay(on: picture).width == 4)
    }
}
