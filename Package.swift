// swift-tools-version: 6.2
import PackageDescription

/// Whether the fuzz targets of `Fuzz/` exist and all modules are instrumented for them; see `Scripts/fuzz`.
let fuzzing = Context.environment["RESNET_FUZZ"] != nil

/// Swift 6 mode, every warning an error, unsafe code marked; see STYLE.md's rules in CONTRIBUTING.md.
let strict: [SwiftSetting] =
    [
        .strictMemorySafety(), .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (fuzzing ? [.unsafeFlags(["-sanitize=fuzzer,address"])] : [])

/// The same instrumentation for the C shims.
let shim: [CSetting] =
    fuzzing ? [.unsafeFlags(["-fsanitize=fuzzer-no-link,address", "-fno-omit-frame-pointer"])] : []

/// `Native` hands out `Span`s of memory it owns, which needs lifetime annotations.
let native: [SwiftSetting] = strict + [.enableExperimentalFeature("Lifetimes")]

let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")

let protobuf: Target.Dependency = .product(name: "SwiftProtobuf", package: "swift-protobuf")

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

/// A libFuzzer target: `Fuzz/NAME/`, with seeds in `Fuzz/Seeds/NAME/` and past finds in `Fuzz/Finds/NAME/`.
func fuzzTarget(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies + ["FuzzSupport"], path: "Fuzz/\(name)",
        swiftSettings: strict, linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address"])])
}

let fuzzTargets: [Target] = [
    .target(name: "FuzzSupport", path: "Fuzz/Support", swiftSettings: strict),
    fuzzTarget("FuzzJPEG", ["Images", "Native", "Tensors"]),
    fuzzTarget("FuzzList", ["Datasets", "Native"]),
    fuzzTarget("FuzzONNX", ["ModelFormats", "Native", "Tensors"]),
    fuzzTarget("FuzzPNG", ["Images", "Native"]),
    fuzzTarget("FuzzPyTorch", ["ModelFormats", "Native", "Tensors"]),
    fuzzTarget("FuzzRecords", ["Datasets", "Native"]),
    fuzzTarget("FuzzSafetensors", ["ModelFormats", "Native", "Tensors"]),
    fuzzTarget("FuzzSavedModel", ["ModelFormats", "Native"]),
    fuzzTarget("FuzzTFRecord", ["Datasets", "Native"]),
    fuzzTarget("FuzzTar", ["Datasets", "Native"]),
    fuzzTarget("FuzzTensorBundle", ["ModelFormats", "Native", "Tensors"]),
    fuzzTarget("FuzzWebP", ["Images", "Native"]),
]

let package = Package(
    name: "swift-resnet",
    products: [
        .executable(name: "resnet", targets: ["resnet"]),
        .library(
            name: "ResNet",
            targets: ["Inference", "Training", "Images", "ModelFormats", "ResNetModel"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // Faces
        .executableTarget(
            name: "resnet", dependencies: ["CommandLineTool"], swiftSettings: strict),
        module(
            "CommandLineTool",
            [
                argumentParser, "Datasets", "Devices", "Execution", "Exports", "Graph", "Images",
                "Inference", "ModelFormats", "Native", "Pretrained", "Reports", "ResNetModel",
                "Runs", "Tensors", "Training", "XLABackend",
            ]),

        // Runs
        module(
            "Runs",
            [
                "Datasets", "Devices", "Execution", "Graph", "Images", "Inference",
                "ModelFormats", "Native", "Pretrained", "Reports", "ResNetModel", "Tensors",
                "Training", .product(name: "Yams", package: "Yams"),
            ]),
        module(
            "Exports",
            [
                "Devices", "Graph", "Images", "Inference", "ModelFormats", "Native",
                "ResNetModel", "Tensors", protobuf,
            ]),
        module(
            "Inference",
            [
                "Devices", "Execution", "Graph", "Images", "ModelFormats", "Native",
                "ResNetModel", "Tensors",
            ]),
        module("Training", ["Execution", "Graph", "ResNetModel", "Tensors"]),
        module("Reports", ["Images", "Native", "Tensors"]),
        module("Pretrained", ["Native"]),

        // Model and data
        module("ResNetModel", ["Graph", "Tensors"]),
        module("ModelFormats", ["Native", "Tensors", protobuf]),
        module("Datasets", ["Images", "Native", "Tensors"]),
        module("Images", ["Native", "Tensors"]),

        // Engine
        module("Devices", ["CPUBackend", "Execution", "Native", "ReferenceBackend", "XLABackend"]),
        module("CPUBackend", ["Execution", "Graph", "Native", "Tensors"]),
        module("XLABackend", ["Execution", "Graph", "Native", "Tensors"]),
        module("ReferenceBackend", ["Execution", "Graph", "Tensors"]),
        module("Execution", ["Graph", "Tensors"]),
        module("Graph", ["Tensors"]),
        module("Tensors", ["Native"]),

        // Native: the only unsafe module, over thin C shims
        .target(
            name: "Native",
            dependencies: ["CCodecs", "CKernels", "CNetwork", "COneDNN", "CPJRT", "CSystem"],
            swiftSettings: native),
        .target(
            name: "CCodecs",
            cSettings: shim,
            linkerSettings: [
                .linkedLibrary("jpeg"), .linkedLibrary("png"), .linkedLibrary("webp"),
            ]),
        .target(name: "CKernels", dependencies: ["CSystem"], cSettings: shim),
        .target(
            name: "CNetwork",
            cSettings: shim,
            linkerSettings: [.linkedLibrary("curl"), .linkedLibrary("crypto")]),
        .target(name: "COneDNN", cSettings: shim),
        .target(name: "CPJRT", cSettings: shim, linkerSettings: [.linkedLibrary("dl")]),
        .target(
            name: "CSystem", cSettings: shim,
            linkerSettings: [.linkedLibrary("z"), .linkedLibrary("pthread")]),

        // Tests
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        tests("NativeTests", ["Native"]),
        tests("TensorsTests", ["Native", "Tensors"]),
        tests("GraphTests", ["Graph", "Tensors"]),
        tests(
            "ImagesTests", ["Images", "Native", "Tensors", "TestSupport"], exclude: ["Fixtures"]),
        tests(
            "DatasetsTests", ["Datasets", "Images", "Native", "Tensors", "TestSupport"],
            exclude: ["Fixtures"]),
        tests(
            "RunsTests",
            [
                "Datasets", "Devices", "Execution", "Images", "Inference", "ModelFormats",
                "Native", "Reports", "ResNetModel", "Runs", "Tensors", "TestSupport", "Training",
            ]),
        tests(
            "ModelFormatsTests", ["ModelFormats", "Native", "Tensors", "TestSupport", protobuf],
            exclude: ["Fixtures"]),
        tests(
            "ExportsTests",
            [
                "Devices", "Exports", "Graph", "Images", "Inference", "ModelFormats", "Native",
                "ResNetModel", "Tensors", "TestSupport",
            ]),
        tests("PretrainedTests", ["Native", "Pretrained"]),
        tests("ReportsTests", ["Images", "Native", "Reports", "Tensors", "TestSupport"]),
        tests("ResNetModelTests", ["Graph", "ResNetModel", "Tensors"]),
        tests(
            "BackendTests",
            [
                "CPUBackend", "Devices", "Execution", "Graph", "Native", "ReferenceBackend",
                "ResNetModel", "Tensors", "XLABackend",
            ]),
        tests(
            "XLABackendTests",
            [
                "Execution", "Graph", "Native", "ResNetModel", "Tensors", "Training", "XLABackend",
            ]),
        tests(
            "InferenceTests",
            [
                "Devices", "Execution", "Images", "Inference", "ModelFormats", "Native",
                "ResNetModel", "Tensors", "TestSupport",
            ]),
        tests(
            "TrainingTests",
            [
                "CPUBackend", "Execution", "Graph", "Images", "ModelFormats", "Native",
                "ReferenceBackend", "ResNetModel", "Tensors", "TestSupport", "Training",
                "XLABackend",
            ]),
        tests(
            "CommandLineToolTests",
            [
                "CommandLineTool", "Datasets", "Execution", "Exports", "Graph", "Images",
                "Inference", "ModelFormats", "Native", "Pretrained", "ResNetModel", "Runs",
                "Tensors", "Training", "resnet",
            ]),
    ] + (fuzzing ? fuzzTargets : []),
    swiftLanguageModes: [.v6]
)
