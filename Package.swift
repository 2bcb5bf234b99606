// swift-tools-version: 6.2
import PackageDescription

/// Swift 6 mode, every warning an error, unsafe code marked; see STYLE.md's rules in CONTRIBUTING.md.
let strict: [SwiftSetting] = [
    .strictMemorySafety(), .treatAllWarnings(as: .error), .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// `Native` hands out `Span`s of memory it owns, which needs lifetime annotations.
let native: [SwiftSetting] = strict + [.enableExperimentalFeature("Lifetimes")]

let argumentParser: Target.Dependency = .product(
    name: "ArgumentParser", package: "swift-argument-parser")

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: [], swiftSettings: strict)
}

let package = Package(
    name: "swift-resnet",
    products: [
        .executable(name: "resnet", targets: ["resnet"]),
        .library(name: "ResNet", targets: ["Inference", "Images", "ModelFormats", "ResNetModel"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        // Faces
        .executableTarget(
            name: "resnet", dependencies: ["CommandLineTool"], swiftSettings: strict),
        module(
            "CommandLineTool",
            [
                argumentParser, "Devices", "Execution", "Graph", "Images", "Inference",
                "ModelFormats", "Native", "Pretrained", "Reports", "ResNetModel", "Tensors",
            ]),

        // Runs
        module(
            "Inference",
            [
                "Devices", "Execution", "Graph", "Images", "ModelFormats", "Native",
                "ResNetModel", "Tensors",
            ]),
        module("Reports", ["Images", "Native", "Tensors"]),
        module("Pretrained", ["Native"]),

        // Model and data
        module("ResNetModel", ["Graph", "Tensors"]),
        module("ModelFormats", ["Native", "Tensors"]),
        module("Images", ["Native", "Tensors"]),

        // Engine
        module("Devices", ["Execution", "OneDNNBackend", "ReferenceBackend"]),
        module("OneDNNBackend", ["Execution", "Graph", "Native", "Tensors"]),
        module("ReferenceBackend", ["Execution", "Graph", "Tensors"]),
        module("Execution", ["Graph", "Tensors"]),
        module("Graph", ["Tensors"]),
        module("Tensors", ["Native"]),

        // Native: the only unsafe module, over thin C shims
        .target(
            name: "Native",
            dependencies: ["CCodecs", "CKernels", "CNetwork", "COneDNN", "CSystem"],
            swiftSettings: native),
        .target(
            name: "CCodecs",
            linkerSettings: [
                .linkedLibrary("jpeg"), .linkedLibrary("png"), .linkedLibrary("webp"),
            ]),
        .target(name: "CKernels", dependencies: ["CSystem"]),
        .target(
            name: "CNetwork",
            linkerSettings: [.linkedLibrary("curl"), .linkedLibrary("crypto")]),
        .target(name: "COneDNN"),
        .target(name: "CSystem", linkerSettings: [.linkedLibrary("z"), .linkedLibrary("pthread")]),

        // Tests
        tests("TensorsTests", ["Native", "Tensors"]),
        tests("GraphTests", ["Graph", "Tensors"]),
        tests("ImagesTests", ["Images", "Native", "Tensors"]),
        tests("ModelFormatsTests", ["ModelFormats", "Native", "Tensors"]),
        tests("PretrainedTests", ["Native", "Pretrained"]),
        tests("ReportsTests", ["Images", "Reports", "Tensors"]),
        tests("ResNetModelTests", ["Graph", "ResNetModel", "Tensors"]),
        tests(
            "BackendTests",
            [
                "Devices", "Execution", "Graph", "Native", "OneDNNBackend", "ReferenceBackend",
                "Tensors",
            ]),
        tests(
            "InferenceTests",
            [
                "Devices", "Execution", "Images", "Inference", "ModelFormats", "Native",
                "ResNetModel", "Tensors",
            ]),
        tests(
            "CommandLineToolTests",
            [
                argumentParser, "CommandLineTool", "Devices", "Images", "Inference",
                "ModelFormats", "Native", "Pretrained", "ResNetModel", "Tensors",
            ]),
    ],
    swiftLanguageModes: [.v6]
)
