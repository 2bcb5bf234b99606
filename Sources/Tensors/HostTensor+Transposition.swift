import Native

extension HostTensor {
    /// The same elements with the axes in another order: axis `i` of the result is axis `order[i]` of this.
    ///
    /// Shares the memory where no element moves.
    ///
    /// - Precondition: `order` names each axis once.
    public func transposed(_ order: [Int]) -> HostTensor {
        precondition(order.sorted() == Array(0..<shape.rank), "each axis once")
        let result = shape.reordered(order)
        // Of an empty tensor's extents not even parts need have a product.
        guard shape.elementCount > 0 else {
            return HostTensor(trusted: elementType, result, memory)
        }
        let moves = AxisMoves(shape.dimensions, order)
        guard !moves.isIdentity else {
            return HostTensor(trusted: elementType, result, memory)
        }
        let moved =
            switch elementType.byteCount {
            case 1: reordered(UInt8.self, moves)
            case 2: reordered(UInt16.self, moves)
            case 4: reordered(UInt32.self, moves)
            default: reordered(UInt64.self, moves)
            }
        return HostTensor(trusted: elementType, result, moved)
    }

    /// Reads runs of neighbours, so that both sides stay in the cache.
    private func reordered<Element: BitwiseCopyable>(
        _ type: Element.Type, _ moves: AxisMoves
    ) -> Memory {
        let aligned = memory.isAligned(for: type) ? memory : Memory(copying: memory.bytes)
        let source = aligned.span(of: type)
        var result = MutableMemory(byteCount: memory.byteCount)
        var target = result.mutableSpan(of: type)
        let (extent, step) = moves.neighbours
        let outer = moves.others
        var place = [Int](repeating: 0, count: outer.count)
        for start in stride(from: 0, to: extent, by: 16) {
            let end = min(extent, start + 16)
            var (from, to) = (0, 0)
            for index in place.indices { place[index] = 0 }
            visiting: while true {
                for neighbour in start..<end {
                    target[to + neighbour * step] = source[from + neighbour]
                }
                var axis = outer.count - 1
                while axis >= 0 {
                    place[axis] += 1
                    from += outer[axis].sourceStep
                    to += outer[axis].targetStep
                    if place[axis] < outer[axis].extent { continue visiting }
                    from -= outer[axis].extent * outer[axis].sourceStep
                    to -= outer[axis].extent * outer[axis].targetStep
                    place[axis] = 0
                    axis -= 1
                }
                break
            }
        }
        return result.finish()
    }
}

/// Axes of a tensor on their way to another order: those of one element left out, those that stay together merged.
private struct AxisMoves {
    struct Axis {
        var extent: Int
        var sourceStep: Int
        var targetStep: Int
    }

    /// All but the one that is innermost in the source, in the result's order.
    let others: [Axis]
    /// The axis that is innermost in the source: its extent, and its step in the result.
    let neighbours: (extent: Int, targetStep: Int)
    let isIdentity: Bool

    /// Sorts the axes of a tensor that is not empty.
    init(_ extents: [Int], _ order: [Int]) {
        var sourceSteps = [Int](repeating: 1, count: extents.count)
        for axis in extents.indices.dropLast().reversed() {
            sourceSteps[axis] = sourceSteps[axis + 1] * extents[axis + 1]
        }
        var axes: [Axis] = []
        for axis in order where extents[axis] != 1 {
            if let last = axes.last, last.sourceStep == sourceSteps[axis] * extents[axis] {
                axes[axes.count - 1].extent *= extents[axis]
                axes[axes.count - 1].sourceStep = sourceSteps[axis]
            } else {
                axes.append(
                    Axis(extent: extents[axis], sourceStep: sourceSteps[axis], targetStep: 1))
            }
        }
        for axis in axes.indices.dropLast().reversed() {
            axes[axis].targetStep = axes[axis + 1].targetStep * axes[axis + 1].extent
        }
        isIdentity = axes.count <= 1
        let inner = axes.first { $0.sourceStep == 1 }
        neighbours = (inner?.extent ?? 1, inner?.targetStep ?? 1)
        others = axes.filter { $0.sourceStep != 1 }
    }
}
