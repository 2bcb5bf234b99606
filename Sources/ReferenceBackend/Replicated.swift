/// What the replicas of a graph have of one value.
///
/// What follows from equal things alone is equal, and is computed once: an optimizer's arithmetic, whatever the number
/// of replicas. What is `.each` may be equal too, but nobody has made sure.
enum Replicated<Content: Sendable>: Sendable {
    /// The same on all.
    case shared(Content)
    /// One for each, in order.
    case each([Content])

    /// What one replica has.
    subscript(replica: Int) -> Content {
        switch self {
        case .shared(let content): content
        case .each(let contents): contents[replica]
        }
    }

    var isShared: Bool {
        if case .shared = self { true } else { false }
    }

    /// Whether there is something for each of so many replicas.
    func fits(replicaCount: Int) -> Bool {
        switch self {
        case .shared: true
        case .each(let contents): contents.count == replicaCount
        }
    }

    /// What becomes of it on each replica.
    func map<Result: Sendable, Failure: Error>(
        _ change: (Content) throws(Failure) -> Result
    ) throws(Failure) -> Replicated<Result> {
        switch self {
        case .shared(let content): return .shared(try change(content))
        case .each(let contents):
            var results: [Result] = []
            for content in contents { results.append(try change(content)) }
            return .each(results)
        }
    }
}
