/// The containers, storages and tensors that a pickle made.
struct PickleHeap: Sendable {
    private struct List {
        var values: [PickleValue]
        var depth: Int
    }

    private struct Dictionary {
        var contents: PickleDictionary
        var depth: Int
    }

    private var lists: [List] = []
    private var tuples: [List] = []
    private var dictionaries: [Dictionary] = []
    private var itemCount = 0
    /// Storages by index.
    private(set) var storages: [PickleStorage] = []
    /// Tensors by index.
    private(set) var tensors: [PickleTensor] = []

    mutating func makeList() -> PickleValue {
        lists.append(List(values: [], depth: 1))
        return .list(lists.count - 1)
    }

    /// `nil` where that exceeds the limits.
    mutating func makeTuple(_ values: [PickleValue]) -> PickleValue? {
        let depth = 1 + (values.map(depth).max() ?? 0)
        guard accepts(depth: depth, newItemCount: values.count) else { return nil }
        tuples.append(List(values: values, depth: depth))
        return .tuple(tuples.count - 1)
    }

    mutating func makeDictionary(_ kind: PickleDictionary.Kind) -> PickleValue {
        dictionaries.append(Dictionary(contents: PickleDictionary(kind: kind), depth: 1))
        return .dictionary(dictionaries.count - 1)
    }

    mutating func makeStorage(_ storage: PickleStorage) -> PickleValue {
        storages.append(storage)
        return .storage(storages.count - 1)
    }

    /// `nil` where that exceeds the limits.
    mutating func makeTensor(_ tensor: PickleTensor) -> PickleValue? {
        guard tensors.count < PickleMachine.Limit.tensorCount else { return nil }
        tensors.append(tensor)
        return .tensor(tensors.count - 1)
    }

    /// `false` where that exceeds the limits.
    mutating func append(_ values: [PickleValue], toList index: Int) -> Bool {
        let depth = 1 + (values.map(depth).max() ?? 0)
        guard accepts(depth: depth, newItemCount: values.count) else { return false }
        lists[index].values.append(contentsOf: values)
        lists[index].depth = max(lists[index].depth, depth)
        return true
    }

    /// `false` where that exceeds the limits.
    mutating func set(
        _ key: PickleValue, _ value: PickleValue, inDictionary index: Int
    ) -> Bool {
        let depth = 1 + depth(value)
        guard accepts(depth: depth, newItemCount: 1) else { return false }
        dictionaries[index].contents.entries.append((key: key, value: value))
        dictionaries[index].depth = max(dictionaries[index].depth, depth)
        return true
    }

    func tuple(_ index: Int) -> [PickleValue] { tuples[index].values }
    func dictionary(_ index: Int) -> PickleDictionary { dictionaries[index].contents }

    /// The values of a tuple or list.
    func sequence(_ value: PickleValue) -> [PickleValue]? {
        switch value {
        case .tuple(let index): tuples[index].values
        case .list(let index): lists[index].values
        default: nil
        }
    }

    private mutating func accepts(depth: Int, newItemCount: Int) -> Bool {
        itemCount += newItemCount
        return depth <= PickleMachine.Limit.depth && itemCount <= PickleMachine.Limit.itemCount
    }

    /// How many containers are in each other, as known when the outer ones were filled.
    private func depth(_ value: PickleValue) -> Int {
        switch value {
        case .list(let index): lists[index].depth
        case .tuple(let index): tuples[index].depth
        case .dictionary(let index): dictionaries[index].depth
        default: 0
        }
    }
}
