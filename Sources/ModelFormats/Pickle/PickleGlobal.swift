import Tensors

/// The element type that a PyTorch storage class or tensor class stands for.
enum PickleElementType: String, Sendable, CaseIterable {
    case double = "Double"
    case float = "Float"
    case half = "Half"
    case bfloat16 = "BFloat16"
    case long = "Long"
    case int = "Int"
    case short = "Short"
    case char = "Char"
    case byte = "Byte"
    case bool = "Bool"

    var elementType: ElementType {
        switch self {
        case .double: .float64
        case .float: .float32
        case .half: .float16
        case .bfloat16: .bfloat16
        case .long: .int64
        case .int: .int32
        case .short: .int16
        case .char: .int8
        case .byte: .uint8
        case .bool: .bool
        }
    }
}

/// A name that a pickle may mention.
///
/// What is not here is refused; what is here is never called: the machine has a case of its own for each.
enum PickleGlobal: Sendable, Equatable {
    case rebuildTensor
    case rebuildTensorV2
    case rebuildParameter
    case rebuildParameterWithState
    case orderedDictionary
    case namespace
    case size
    /// A storage class.
    case storage(PickleElementType)
    /// A tensor class, which the oldest files name.
    case tensor(PickleElementType)
    /// Something whose result is carried along and never looked into.
    case inert(String)
    /// A class of a TorchScript program: its objects hold attributes, its code is never looked at.
    case scriptClass(String)

    /// The name as Python writes it, or close to it.
    var rawValue: String {
        switch self {
        case .rebuildTensor: "torch._utils._rebuild_tensor"
        case .rebuildTensorV2: "torch._utils._rebuild_tensor_v2"
        case .rebuildParameter: "torch._utils._rebuild_parameter"
        case .rebuildParameterWithState: "torch._utils._rebuild_parameter_with_state"
        case .orderedDictionary: "collections.OrderedDict"
        case .namespace: "argparse.Namespace"
        case .size: "torch.Size"
        case .storage(let type): "torch.\(type.rawValue)Storage"
        case .tensor(let type): "torch.\(type.rawValue)Tensor"
        case .inert(let name), .scriptClass(let name): name
        }
    }

    /// Looks up what TorchScript programs alone name: classes of their own, which all begin alike, and typed lists.
    init?(scriptModule module: String, name: String) {
        if module == "torch.jit._pickle", Self.scriptListNames.contains(name) {
            self = .inert("\(module).\(name)")
            return
        }
        guard module == "__torch__" || module.hasPrefix("__torch__."),
            !name.utf8.contains(UInt8(ascii: "."))
        else { return nil }
        self = .scriptClass("\(module).\(name)")
    }

    /// Looks a name up; `nil` means that no pickle of weights needs it.
    init?(module: String, name: String) {
        // A name with a point reaches into something: `("torch", "_utils.x")` is not `("torch._utils", "x")`.
        guard !name.utf8.contains(UInt8(ascii: ".")) else { return nil }
        let whole = "\(module).\(name)"
        if let known = Self.functions[whole] {
            self = known
            return
        }
        if Self.inertNames.contains(whole) {
            self = .inert(whole)
            return
        }
        guard module == "torch" || module == "torch.cuda" || module == "torch.storage" else {
            return nil
        }
        for type in PickleElementType.allCases {
            if name == type.rawValue + "Storage" {
                self = .storage(type)
                return
            }
            if name == type.rawValue + "Tensor" {
                self = .tensor(type)
                return
            }
        }
        return nil
    }

    private static let functions: [String: PickleGlobal] = [
        "torch._utils._rebuild_tensor": .rebuildTensor,
        "torch._utils._rebuild_tensor_v2": .rebuildTensorV2,
        "torch._utils._rebuild_parameter": .rebuildParameter,
        "torch._utils._rebuild_parameter_with_state": .rebuildParameterWithState,
        "collections.OrderedDict": .orderedDictionary,
        "argparse.Namespace": .namespace,
        "torch.Size": .size,
        // Raw bytes under the name of another type.
        "torch.UntypedStorage": .storage(.byte),
        "torch.storage.UntypedStorage": .storage(.byte),
    ]

    /// What TorchScript programs wrap lists and dictionaries of one type in, as the attributes of a convolution.
    private static let scriptListNames: Set<String> = [
        "build_intlist", "build_doublelist", "build_boollist", "build_tensorlist",
        "restore_type_tag",
    ]

    /// Names in training checkpoints beside the weights: NumPy's form of a best accuracy, devices,
    /// element types, sets.
    private static let inertNames: Set<String> = [
        "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.dtype",
        "_codecs.encode", "torch.device", "torch.serialization._get_layout",
        "__builtin__.set", "builtins.set",
        "torch.float32", "torch.float64", "torch.float16", "torch.bfloat16", "torch.int64",
        "torch.int32", "torch.int16", "torch.int8", "torch.uint8", "torch.bool",
    ]
}
