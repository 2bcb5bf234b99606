import Inference
import XLABackend

extension CompileCommand {
    /// What people read.
    func text(_ compiled: CompiledAhead) -> String {
        let images = batch
        func perImage(_ bytes: Int) -> String {
            "\(fixed(Double(bytes) / Double(images) / 1e6, places: 1)) MB"
        }
        var table = Table(["kernels": .left, "count": .right, "bytes an image": .right])
        for kind in compiled.report.kinds {
            table.add([kind.name, "\(kind.count)", perImage(kind.byteCount)])
        }
        table.add(["all", "\(compiled.report.kernelCount)", perImage(compiled.report.byteCount)])
        var lines = [table.text]
        lines.append(
            "memory a GPU: \(byteText(compiled.memory.arguments)) of arguments, "
                + "\(byteText(compiled.memory.temporary)) beside them")
        lines.append(
            "all-reduces: \(compiled.report.allReduces.asynchronous) beside other kernels, "
                + "\(compiled.report.allReduces.blocking) alone")
        lines.append(
            "float32 convolutions: \(compiled.report.wideConvolutions.count); "
                + "transposes of activations: \(compiled.report.transposes.count)")
        lines.append(
            "compiled in \(fixed(compiled.seconds, places: 1)) s by \(compiled.compiler)")
        return lines.joined(separator: "\n") + "\n"
    }

    /// What programs read.
    func json(_ compiled: CompiledAhead) -> JSONValue {
        let report = compiled.report
        return .members([
            "target": .string(target),
            "program": .string(program ?? task.rawValue), "batch": .integer(batch),
            "replicas": .integer(replicas), "precision": .string(precision.rawValue),
            "compile_seconds": .rounded(compiled.seconds, places: 2),
            "compiler": .string(compiled.compiler),
            "kernels": .integer(report.kernelCount),
            "bytes": .integer(report.byteCount),
            "bytes_per_image": .integer(report.byteCount / batch),
            "argument_bytes": .integer(compiled.memory.arguments),
            "temporary_bytes": .integer(compiled.memory.temporary),
            "float32_convolutions": .integer(report.wideConvolutions.count),
            "activation_transposes": .integer(report.transposes.count),
            "asynchronous_all_reduces": .integer(report.allReduces.asynchronous),
            "blocking_all_reduces": .integer(report.allReduces.blocking),
            "kinds": .array(
                report.kinds.map {
                    .members([
                        "name": .string($0.name), "kernels": .integer($0.count),
                        "bytes": .integer($0.byteCount),
                    ])
                }),
        ])
    }
}
