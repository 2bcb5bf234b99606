import Glibc

/// A figure about the origin that fits into a circle of radius 1.
enum Figure: String, Sendable, CaseIterable {
    case circle, square, triangle, star, cross, ring, heart, crescent, arrow, spiral

    /// How far a point is outside, negative inside; right near the edge and at least roughly elsewhere.
    ///
    /// Source: the distance functions of Inigo Quilez, "2D distance functions", for the star and the heart.
    func distance(_ p: SIMD2<Float>) -> Float {
        switch self {
        case .circle: return length(p) - 0.9
        case .square: return box(p, 0.74, 0.74)
        case .triangle: return polygon(p, sides: 3, inner: 0.5)
        case .star: return star(p)
        case .cross: return min(box(p, 0.95, 0.3), box(p, 0.3, 0.95))
        case .ring: return abs(length(p) - 0.7) - 0.2
        case .heart: return heart(p)
        case .crescent: return max(length(p) - 0.95, 0.8 - length(p - SIMD2(0.5, 0)))
        case .arrow: return arrow(p)
        case .spiral: return spiral(p)
        }
    }

    private func length(_ p: SIMD2<Float>) -> Float { (p * p).sum().squareRoot() }

    private func box(_ p: SIMD2<Float>, _ halfWidth: Float, _ halfHeight: Float) -> Float {
        let q = SIMD2(abs(p.x) - halfWidth, abs(p.y) - halfHeight)
        return length(SIMD2(max(q.x, 0), max(q.y, 0))) + min(max(q.x, q.y), 0)
    }

    /// A regular polygon whose sides have this distance from the middle.
    private func polygon(_ p: SIMD2<Float>, sides: Int, inner: Float) -> Float {
        let sector = 2 * Float.pi / Float(sides)
        let angle = atan2f(p.x, p.y)
        let turn = angle - sector * (angle / sector).rounded()
        return length(p) * cosf(turn) - inner
    }

    private func star(_ p: SIMD2<Float>) -> Float {
        let sector = 2 * Float.pi / 5
        let angle = atan2f(p.x, p.y)
        let turn = abs(angle - sector * (angle / sector).rounded())
        let q = SIMD2(length(p) * cosf(turn), length(p) * sinf(turn))
        // The edge from the tip at radius 1 to the notch at radius 0.45 in the sector's other border.
        let tip = SIMD2<Float>(1, 0)
        let notch = SIMD2<Float>(0.45 * cosf(sector / 2), 0.45 * sinf(sector / 2))
        let edge = notch - tip
        let normal = SIMD2(edge.y, -edge.x) / length(edge)
        return ((q - tip) * normal).sum()
    }

    private func heart(_ point: SIMD2<Float>) -> Float {
        // The original stands on the origin, is about 1.1 high and points down where y points up.
        let p = SIMD2(abs(point.x), 0.8 - point.y) / 1.45
        if p.y + p.x > 1 {
            return (length(p - SIMD2(0.25, 0.75)) - Float(0.125).squareRoot()) * 1.45
        }
        let middle = max(p.x + p.y, 0) / 2
        let inside: Float = p.x > p.y ? 1 : -1
        return min(length(p - SIMD2(0, 1)), length(p - SIMD2(middle, middle))) * inside * 1.45
    }

    private func arrow(_ p: SIMD2<Float>) -> Float {
        let shaft = box(p + SIMD2(0.4, 0), 0.5, 0.17)
        // The head: left border at 0.1, tip at 0.95.
        let slope = SIMD2<Float>(0.65, 0.76)
        let head = max(0.1 - p.x, ((SIMD2(p.x, abs(p.y)) - SIMD2(0.95, 0)) * slope).sum())
        return min(shaft, head)
    }

    private func spiral(_ p: SIMD2<Float>) -> Float {
        // An arm moves outwards by 0.42 a turn.
        let radius = length(p)
        let angle = atan2f(p.y, p.x) / (2 * .pi)
        let arm = ((radius / 0.42 - angle).rounded() + angle) * 0.42
        let line = abs(radius - min(max(arm, 0.06), 0.85 + 0.1 * angle)) - 0.1
        return max(line, radius - 0.98)
    }
}
