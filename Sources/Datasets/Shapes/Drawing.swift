import Glibc
import Images
import Native
import Tensors

/// One picture: a background, things that lie about, and a figure; sizes are shares of the picture's side.
struct Drawing: Sendable {
    private typealias Color = SIMD3<Float>
    private typealias Point = SIMD2<Float>

    /// Something that is not the figure.
    private struct Clutter {
        let from: Point
        let to: Point
        let radius: Float
        let color: Color
    }

    /// A wave over a plane.
    private struct Wave {
        let direction: Point
        let phase: Float
        let strength: Float

        init(_ frequencies: Range<Double>, strength: Double, _ random: inout RandomGenerator) {
            let angle = random.nextUniform(in: 0..<2 * .pi)
            let frequency = random.nextUniform(in: frequencies) * 2 * .pi
            direction = Point(Float(frequency * cos(angle)), Float(frequency * sin(angle)))
            phase = Float(random.nextUniform(in: 0..<2 * .pi))
            self.strength = Float(random.nextUniform(in: 0..<strength))
        }

        func value(_ p: Point) -> Float { strength * sinf((p * direction).sum() + phase) }
    }

    private let figure: Figure
    private let middle: Point
    private let radius: Float
    private let direction: Point
    private let color: Color
    private let figureWave: Wave
    private let background: (Color, Color)
    private let slope: Point
    private let waves: [Wave]
    private let clutter: [Clutter]
    private let noise: Float
    private let noiseSeed: UInt64

    init(figure: Figure, random: inout RandomGenerator) {
        self.figure = figure
        radius = Float(random.nextUniform(in: 0.22..<0.37))
        let room = Double(0.98 - radius)
        let border = Double(radius + 0.02)
        middle = Point(
            Float(random.nextUniform(in: border..<room)),
            Float(random.nextUniform(in: border..<room)))
        let angle = random.nextUniform(in: -0.5..<0.5)
        direction = Point(Float(cos(angle)), Float(sin(angle)))
        var colors: [Color] = []
        // The figure is lighter than both ends of the background.
        repeat {
            colors = (0..<3).map { _ in Self.randomColor(&random) }
        } while Self.brightness(colors[0] - colors[1]) < 0.3
            || Self.brightness(colors[0] - colors[2]) < 0.3
        color = colors[0]
        background = (colors[1], colors[2])
        let fall = random.nextUniform(in: 0..<2 * .pi)
        slope = Point(Float(cos(fall)), Float(sin(fall)))
        figureWave = Wave(2..<8, strength: 0.08, &random)
        waves = [Wave(1..<4, strength: 0.08, &random), Wave(4..<14, strength: 0.08, &random)]
        let count = random.nextIndex(below: 5)
        clutter = (0..<count).map { _ in Self.randomClutter(&random) }
        noise = Float(random.nextUniform(in: 0..<0.08))
        noiseSeed = random.next()
    }

    private static func randomColor(_ random: inout RandomGenerator) -> Color {
        Color(
            Float(random.nextUniform()), Float(random.nextUniform()), Float(random.nextUniform()))
    }

    /// How bright a colour looks, 0 to 1.
    private static func brightness(_ color: Color) -> Float {
        (color * Color(0.3, 0.59, 0.11)).sum()
    }

    /// A short line or a dot.
    private static func randomClutter(_ random: inout RandomGenerator) -> Clutter {
        let from = Point(Float(random.nextUniform()), Float(random.nextUniform()))
        let angle = random.nextUniform(in: 0..<2 * .pi)
        let length = random.nextIndex(below: 2) == 0 ? 0 : random.nextUniform(in: 0.05..<0.3)
        let radius = random.nextUniform(in: 0.01..<0.03)
        return Clutter(
            from: from, to: from + Point(Float(length * cos(angle)), Float(length * sin(angle))),
            radius: Float(radius), color: randomColor(&random))
    }

    /// Draws.
    ///
    /// - Parameter size: width and height, in pixels.
    /// - Throws: `ImageError` with code `.resourceExhausted`.
    func picture(size: Int) throws(ImageError) -> Image {
        var random = RandomGenerator(seed: noiseSeed, stream: UInt64(size))
        var pixels = [UInt8](repeating: 0, count: size * size * 3)
        let pixel = 1 / Float(size)
        for y in 0..<size {
            for x in 0..<size {
                let point = Point(Float(x) + 0.5, Float(y) + 0.5) * pixel
                let color = color(at: point, pixel: pixel)
                let bits = random.next()
                for channel in 0..<3 {
                    // Uniform noise of 16 bits a channel.
                    let grain = Float((bits >> (16 * UInt64(channel))) & 0xFFFF) / 32768 - 1
                    let value = min(max(color[channel] + grain * noise, 0), 1)
                    pixels[3 * (y * size + x) + channel] = UInt8((value * 255).rounded())
                }
            }
        }
        return try Image(width: size, height: size, pixels: pixels)
    }

    private func color(at point: Point, pixel: Float) -> Color {
        let centred = point - 0.5
        let share = 0.5 + 0.7 * (centred * slope).sum()
        var result = background.0 * (1 - share) + background.1 * share
        result += Color(repeating: waves[0].value(centred) + waves[1].value(centred))
        for thing in clutter {
            let line = thing.to - thing.from
            let along = point - thing.from
            let place = min(max((along * line).sum() / max((line * line).sum(), 1e-6), 0), 1)
            let gap = along - line * place
            let distance = (gap * gap).sum().squareRoot() - thing.radius
            result = blend(result, thing.color, distance / pixel)
        }
        let offset = (point - middle) / radius
        guard (offset * offset).sum() < 1.44 else { return result }
        let turned = Point(
            (offset * direction).sum(), (offset * Point(-direction.y, direction.x)).sum())
        let inside = color + Color(repeating: figureWave.value(offset))
        return blend(result, inside, figure.distance(turned) * radius / pixel)
    }

    /// Covers a share of a pixel by how far its middle is from an edge, in pixels.
    private func blend(_ under: Color, _ over: Color, _ distance: Float) -> Color {
        let share = min(max(0.5 - distance, 0), 1)
        return under * (1 - share) + over * share
    }
}
