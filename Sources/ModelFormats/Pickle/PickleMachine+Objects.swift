import Tensors

/// What the names of the allow-list stand for.
extension PickleMachine {
    func global(module: String, name: String) throws(ModelFormatError) -> PickleGlobal {
        if let global = PickleGlobal(module: module, name: name) { return global }
        if readsScript, let global = PickleGlobal(scriptModule: module, name: name) {
            return global
        }
        let whole = "\(module).\(name)"
        if module == "torch" || module == "torch.storage", name.hasSuffix("Storage") {
            throw ModelFormatError(.unsupported, "\(file): storages of \(whole) are not read")
        }
        throw ModelFormatError(
            .forbidden,
            "\(file): the pickle names \(whole.debugDescription), which weights do not need; nothing "
                + "was run. Save the state_dict alone, or as safetensors")
    }

    /// Does what calling a name would do, for the few that are known.
    mutating func build(
        _ callee: PickleValue, arguments: PickleValue
    ) throws(ModelFormatError) -> PickleValue {
        guard case .global(let global) = callee, case .tuple(let index) = arguments else {
            throw malformed("expected a name and a tuple to call it with, found \(callee.kind)")
        }
        let arguments = heap.tuple(index)
        switch global {
        case .rebuildTensor, .rebuildTensorV2:
            return try makeTensor(arguments)
        case .rebuildParameter, .rebuildParameterWithState:
            guard let tensor = arguments.first, case .tensor = tensor else {
                throw malformed("\(global.rawValue): expected a tensor")
            }
            return tensor
        case .orderedDictionary:
            let dictionary = heap.makeDictionary(.ordered)
            guard arguments.count <= 1 else {
                throw malformed("\(global.rawValue): expected at most one argument")
            }
            if let pairs = arguments.first { try set(pairs: pairs, in: dictionary) }
            return dictionary
        case .namespace, .scriptClass:
            guard arguments.isEmpty else {
                throw malformed("\(global.rawValue): expected no arguments")
            }
            return heap.makeDictionary(.namespace)
        case .size:
            guard arguments.count == 1, heap.sequence(arguments[0]) != nil else {
                throw malformed("\(global.rawValue): expected one sequence")
            }
            return arguments[0]
        case .inert: return .opaque
        case .storage, .tensor:
            throw ModelFormatError(.forbidden, "\(file): the pickle calls \(global.rawValue)")
        }
    }

    /// `BUILD`: attributes of an ordered dictionary are passed over, those of a namespace kept.
    mutating func set(
        state: PickleValue, of target: PickleValue
    ) throws(ModelFormatError) {
        switch target {
        case .opaque: return
        case .dictionary(let index):
            let kind = heap.dictionary(index).kind
            guard kind != .plain, case .dictionary(let stateIndex) = state else { break }
            guard kind == .namespace else { return }
            for entry in heap.dictionary(stateIndex).entries
            where !heap.set(entry.key, entry.value, inDictionary: index) {
                throw tooMuch()
            }
            return
        default: break
        }
        throw ModelFormatError(
            .forbidden, "\(file): the pickle sets attributes of \(target.kind) to \(state.kind)")
    }

    mutating func append(
        _ values: [PickleValue], to target: PickleValue
    ) throws(ModelFormatError) {
        guard case .list(let index) = target else {
            throw malformed("expected a list to append to, found \(target.kind)")
        }
        guard heap.append(values, toList: index) else { throw tooMuch() }
    }

    /// Sets keys and values that alternate.
    mutating func set(
        _ items: [PickleValue], in target: PickleValue
    ) throws(ModelFormatError) {
        guard case .dictionary(let index) = target, heap.dictionary(index).kind != .namespace else {
            throw malformed("expected a dictionary to set items of, found \(target.kind)")
        }
        guard items.count % 2 == 0 else { throw malformed("a key without a value") }
        for position in stride(from: 0, to: items.count, by: 2) {
            switch items[position] {
            case .list, .dictionary, .tensor, .storage:
                throw malformed("\(items[position].kind) as a key")
            default: break
            }
            guard heap.set(items[position], items[position + 1], inDictionary: index) else {
                throw tooMuch()
            }
        }
    }

    private mutating func set(
        pairs: PickleValue, in dictionary: PickleValue
    ) throws(ModelFormatError) {
        guard let pairs = heap.sequence(pairs) else { throw malformed("expected a list of pairs") }
        for pair in pairs {
            guard let items = heap.sequence(pair), items.count == 2 else {
                throw malformed("expected a pair of key and value")
            }
            try set(items, in: dictionary)
        }
    }

    /// `BINPERSID`: a storage kept outside the pickle.
    mutating func persistentValue(
        _ identifier: PickleValue
    ) throws(ModelFormatError) -> PickleValue {
        if case .table(let values) = persistentValues {
            let key: String
            switch identifier {
            case .integer(let number): key = String(number)
            case .string(let text): key = text
            // Classes come as tuples that begin with the class.
            case .tuple(let index): return heap.tuple(index).first ?? .none
            default: throw malformed("expected a key, found \(identifier.kind)")
            }
            guard let value = values[key] else {
                throw ModelFormatError(.missingEntry, "\(file): tensor \(key) is not in the file")
            }
            return value
        }
        guard case .tuple(let index) = identifier else {
            throw malformed("expected a tuple that names a storage, found \(identifier.kind)")
        }
        let parts = heap.tuple(index)
        guard parts.count == 5 || parts.count == 6,
            case .string("storage") = parts[0],
            case .global(.storage(let type)) = parts[1],
            case .integer(let count) = parts[4], count >= 0,
            let key = storageKey(parts[2])
        else { throw malformed("expected the description of a storage") }
        if parts.count == 6 {
            guard case .none = parts[5] else {
                throw ModelFormatError(
                    .unsupported,
                    "\(file): storages that are parts of others, as PyTorch wrote before 0.4; "
                        + "save the file again with a newer one")
            }
        }
        return heap.makeStorage(PickleStorage(key: key, elementType: type, count: count))
    }

    /// Keys are texts, in the oldest files integers.
    private func storageKey(_ value: PickleValue) -> String? {
        switch value {
        case .string(let text): text
        case .integer(let number): String(number)
        default: nil
        }
    }

    private mutating func makeTensor(
        _ arguments: [PickleValue]
    ) throws(ModelFormatError) -> PickleValue {
        guard arguments.count >= 4, arguments.count <= 7,
            case .storage(let storage) = arguments[0],
            case .integer(let offset) = arguments[1],
            let sizes = integers(arguments[2]), let strides = integers(arguments[3])
        else { throw malformed("expected a storage, an offset, sizes and strides") }
        return try makeTensor(storage: storage, offset: offset, sizes: sizes, strides: strides)
    }

    /// Makes a tensor of a storage, checking that it stays inside.
    mutating func makeTensor(
        storage: Int, offset: Int, sizes: [Int], strides: [Int]
    ) throws(ModelFormatError) -> PickleValue {
        let count = heap.storages[storage].count
        guard sizes.count == strides.count, sizes.count <= Limit.tensorRank, offset >= 0,
            sizes.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 })
        else {
            throw malformed("a tensor of sizes \(sizes) and strides \(strides) at \(offset)")
        }
        var last = offset
        var overflows = (try? Shape(validating: sizes)) == nil
        for (size, stride) in zip(sizes, strides) where size > 1 {
            let (reach, isTooFar) = stride.multipliedReportingOverflow(by: size - 1)
            let (sum, isTooLarge) = last.addingReportingOverflow(reach)
            overflows = overflows || isTooFar || isTooLarge
            last = sum
        }
        let isEmpty = sizes.contains(0)
        guard !overflows, isEmpty ? offset <= count : last < count else {
            throw ModelFormatError(
                .sizeMismatch,
                "\(file): a tensor of sizes \(sizes), strides \(strides) at \(offset) reaches outside "
                    + "its storage of \(count) elements")
        }
        let tensor = PickleTensor(
            storage: storage, offset: offset, sizes: sizes,
            strides: zip(sizes, strides).map { $0 > 1 ? $1 : 0 })
        guard let value = heap.makeTensor(tensor) else { throw tooMuch() }
        return value
    }

    private func integers(_ value: PickleValue) -> [Int]? {
        guard let values = heap.sequence(value), values.count <= Limit.tensorRank else {
            return nil
        }
        var result: [Int] = []
        for value in values {
            guard case .integer(let number) = value else { return nil }
            result.append(number)
        }
        return result
    }
}
