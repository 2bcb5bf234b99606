import Datasets
import Inference
import Native

extension RunFolder {
    /// Writes the report of a run whose training has ended, with the pictures that its best weights get wrong.
    ///
    /// - Returns: the page's path.
    /// - Throws: as `RunReport.write(_:)`; `DatasetError`, `ImageError`, `ExecutionError` where pictures or weights cannot
    ///   be read any more.
    @discardableResult
    public func writeReport(of plan: RunPlan) throws -> String {
        if FileSystem.byteCount(of: evaluation) != nil, FileSystem.byteCount(of: best) != nil {
            let result = try EvaluationResult(
                json: try FileSystem.text(of: evaluation), name: evaluation)
            let model = try LoadedModel(contentsOf: best)
            let evaluator = try plan.evaluator(model.parameters)
            try writeWorst(evaluator.worstPictures(of: result, in: plan.split.validation))
        }
        return try RunReport.write(path)
    }
}
