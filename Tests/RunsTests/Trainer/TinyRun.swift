import Devices
import FoundationEssentials
import Inference
import Native
import Runs
import Tensors

/// Runs of a small network on small drawn pictures, in folders that go away.
final class TinyRun: Sendable {
    let folder: RunFolder

    init() throws {
        // Memory rather than a disk, where there is some: what is tested is not how fast it writes.
        let base =
            FileManager.default.isWritableFile(atPath: "/dev/shm")
            ? "/dev/shm" : FileManager.default.temporaryDirectory.path
        folder = RunFolder("\(base)/resnet-run-\(UUID().uuidString)")
    }

    deinit { try? FileManager.default.removeItem(atPath: folder.path) }

    /// A recipe of ResNet-18 at 32 pixels; 64 pictures in batches of 8 are eight steps an epoch.
    static func recipe(_ changes: [String: String] = [:]) throws -> Recipe {
        var recipe = try Recipe.named("smoke")
        let small = [
            "image_size": "32", "eval_resize": "32", "eval_crop": "32", "batch_size": "8",
            "epochs": "3", "precision": "fp32",
        ]
        for (key, value) in small.merging(changes, uniquingKeysWith: { $1 }).sorted(by: <) {
            try recipe.set(key, value, place: "test")
        }
        return recipe
    }

    static func settings(
        _ changes: [String: String] = [:], data: String = "shapes:train=64,val=20,size=32"
    ) throws -> RunSettings {
        var settings = RunSettings(
            data: data, recipe: try recipe(changes), device: try openDevice(.auto))
        settings.logInterval = 3
        return settings
    }

    /// Trains, and tells the sentences that were said.
    @discardableResult
    func train(
        _ settings: RunSettings, requests: @escaping () -> RunRequest? = { nil }
    ) throws -> (outcome: RunOutcome, notes: [String]) {
        let plan = try RunPlan(settings, folder: folder)
        var notes: [String] = []
        let observer: (RunEvent) -> Void = { event in
            if case .note(let text) = event { notes.append(text) }
        }
        let outcome =
            plan.recipe.computesFeaturesOnce
            ? try LinearProbe(plan, folder: folder, observer: observer, requests: requests).run()
            : try Trainer(plan, folder: folder, observer: observer, requests: requests).run()
        return (outcome, notes)
    }

    /// The lines of `metrics.jsonl` without events, and without what depends on the time that things take.
    func metrics() throws -> [String] {
        try FileSystem.text(of: folder.metrics).split(separator: "\n")
            .filter { !$0.contains("\"kind\":\"event\"") }
            .map { line in
                line.split(separator: ",").filter {
                    !$0.contains("\"seconds\"") && !$0.contains("\"images_per_second\"")
                }.joined(separator: ",")
            }
    }
}

/// Whether two sets of tensors have the same names, types, shapes and bytes.
func areEqual(_ first: [String: HostTensor], _ second: [String: HostTensor]) -> Bool {
    guard first.count == second.count else { return false }
    for (name, tensor) in first {
        guard let other = second[name], isEqual(tensor, other) else { return false }
    }
    return true
}

/// Whether two tensors have the same type, shape and bytes.
func isEqual(_ first: HostTensor, _ second: HostTensor) -> Bool {
    guard first.elementType == second.elementType, first.shape == second.shape else { return false }
    let (left, right) = (first.memory.bytes, second.memory.bytes)
    guard left.count == right.count else { return false }
    for index in left.indices where left[index] != right[index] { return false }
    return true
}
