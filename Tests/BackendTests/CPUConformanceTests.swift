import CPUBackend
import Execution
import Graph
import Native
import ResNetModel
import Tensors
import Testing

/// One way in which the CPU back end can be set up.
struct CPUSetup: Sendable, CustomTestStringConvertible {
    let kernels: CPUBackend.Kernels
    let instructions: KernelInstructions
    let threads: Int
    var winograd = false
    let testDescription: String

    /// What it rounds beside results.
    var rounding: ExtraRounding { winograd ? .transformedOperands : .none }

    func backend() throws -> CPUBackend {
        try CPUBackend(
            threads: threads, kernels: kernels, instructions: instructions, winograd: winograd)
    }

    /// Own kernels for each instruction set of this machine, and oneDNN where it is installed.
    static let all: [CPUSetup] = {
        var setups = [
            CPUSetup(
                kernels: .own, instructions: .plain, threads: 1, testDescription: "plain C kernels")
        ]
        if KernelInstructions.best > .plain {
            setups.append(
                CPUSetup(
                    kernels: .own, instructions: .best, threads: 1,
                    testDescription: "\(KernelInstructions.best) kernels"))
            setups.append(
                CPUSetup(
                    kernels: .own, instructions: .best, threads: 3, winograd: true,
                    testDescription: "\(KernelInstructions.best) kernels, Winograd, 3 threads"))
        }
        if OneDNN.isAvailable {
            setups.append(
                CPUSetup(
                    kernels: .oneDNN, instructions: .best, threads: 1, testDescription: "oneDNN"))
            setups.append(
                CPUSetup(
                    kernels: .oneDNN, instructions: .best, threads: 2,
                    testDescription: "oneDNN, 2 threads"))
        }
        return setups
    }()
}

extension CPUSetup {
    /// Those that differ in training, which runs on own kernels alone.
    static let own = all.filter { $0.kernels == .own }
}

@Suite("CPU back end")
struct CPUConformanceTests {
    @Test("agrees with float64 to the rounding of float32", arguments: CPUSetup.all)
    func float32(setup: CPUSetup) throws {
        let backend = try setup.backend()
        for conformanceCase in conformanceCases {
            try checkConformance(
                conformanceCase, of: backend, in: .float32, rounding: setup.rounding)
        }
    }

    @Test("agrees with float64 to the rounding of bfloat16", arguments: CPUSetup.all)
    func bfloat16(setup: CPUSetup) throws {
        let backend = try setup.backend()
        for conformanceCase in conformanceCases {
            try checkConformance(
                conformanceCase, of: backend, in: .bfloat16, rounding: setup.rounding)
        }
    }

    @Test("trains as float64 does, to the rounding of float32", arguments: CPUSetup.own)
    func trainsInFloat32(setup: CPUSetup) throws {
        let backend = try setup.backend()
        for conformanceCase in trainingConformanceCases {
            do {
                try checkConformance(
                    conformanceCase, of: backend, in: .float32, rounding: setup.rounding)
            } catch { Issue.record("\(conformanceCase.name): \(error)") }
        }
    }

    @Test("trains as float64 does, to the rounding of bfloat16", arguments: CPUSetup.own)
    func trainsInBFloat16(setup: CPUSetup) throws {
        let backend = try setup.backend()
        for conformanceCase in trainingConformanceCases {
            try checkConformance(
                conformanceCase, of: backend, in: .bfloat16, rounding: setup.rounding)
        }
    }

    @Test(
        "runs whole networks as float64 does, to the rounding of the element type",
        .enabled(if: isOptimizedBuild, "slow without optimisation: swift test -c release"),
        arguments: CPUSetup.all, [ElementType.float32, .bfloat16])
    func networks(setup: CPUSetup, elementType: ElementType) throws {
        let backend = try setup.backend()
        try checkNetwork(
            ResNetArchitecture(depth: .resNet18, classCount: 10), batch: 5, imageSize: 32,
            of: backend, in: elementType)
        try checkNetwork(
            ResNetArchitecture(classCount: 10), batch: 2, imageSize: 64, of: backend,
            in: elementType)
        try checkNetwork(
            ResNetArchitecture(variant: .v1, classCount: 10), batch: 1, imageSize: 64, of: backend,
            in: elementType)
    }

    @Test("finds oneDNN 3.x, or says that it is missing")
    func oneDNN() {
        if OneDNN.isAvailable {
            #expect(OneDNN.version.hasPrefix("3."))
            #expect(OneDNN.path.hasSuffix(".so.3") || OneDNN.path.hasSuffix(".so"))
        } else {
            let error = #expect(throws: NativeError.self) { try OneDNN.load() }
            #expect(error?.code == .notFound)
        }
    }
}
