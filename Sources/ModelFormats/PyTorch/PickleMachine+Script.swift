extension PickleMachine {
    /// The tensors of a TorchScript module and of the modules in it, under the names that PyTorch's `state_dict` has.
    ///
    /// Attributes that are neither tensors nor modules are passed over.
    ///
    /// - Returns: a dictionary of the machine's heap.
    /// - Throws: `ModelFormatError` with code `.noWeights` where the value is no module or holds no tensors, as in programs
    ///   whose weights were frozen into constants; `.limitExceeded` where modules that share modules have too many, or too
    ///   many attributes.
    mutating func parameters(
        ofModule value: PickleValue
    ) throws(ModelFormatError) -> PickleValue {
        let result = heap.makeDictionary(.ordered)
        guard case .dictionary(let root) = value, heap.dictionary(root).kind == .namespace,
            case .dictionary(let target) = result
        else {
            throw ModelFormatError(
                .noWeights, "\(file): expected a TorchScript module, found \(value.kind)")
        }
        var open: [(prefix: String, index: Int)] = [("", root)]
        var moduleCount = 0
        var attributeCount = 0
        var tensorCount = 0
        while let (prefix, index) = open.popLast() {
            moduleCount += 1
            guard moduleCount <= Limit.tensorCount, prefix.utf8.count <= 1_000 else {
                throw limitExceeded("more than \(Limit.tensorCount) modules, or deeper names")
            }
            // Those of a module that several share count each time: so often are they looked at.
            attributeCount += heap.dictionary(index).entries.count
            guard attributeCount <= Limit.itemCount else {
                throw limitExceeded("more than \(Limit.itemCount) attributes")
            }
            for entry in heap.dictionary(index).entries {
                guard case .string(let name) = entry.key else { continue }
                switch entry.value {
                case .tensor:
                    tensorCount += 1
                    guard heap.set(.string(prefix + name), entry.value, inDictionary: target) else {
                        throw limitExceeded("more than \(Limit.itemCount) tensors")
                    }
                case .dictionary(let inner) where heap.dictionary(inner).kind == .namespace:
                    guard open.count < Limit.tensorCount else {
                        throw limitExceeded("more than \(Limit.tensorCount) modules")
                    }
                    open.append((prefix + name + ".", inner))
                default: break
                }
            }
        }
        guard tensorCount > 0 else {
            throw ModelFormatError(
                .noWeights,
                "\(file): the TorchScript program keeps no weights in its modules; they may be frozen "
                    + "into constants. Save the program before torch.jit.freeze")
        }
        return result
    }
}
