import Reports

/// The curves of one run or of several over each other.
enum RunCurves {
    /// The plots of which there is anything to show.
    static func figures(_ runs: [RunHistory]) -> [HTML] {
        let isSingle = runs.count == 1
        func name(_ run: RunHistory, _ part: String) -> String {
            isSingle ? part : "\(run.name), \(part)"
        }
        func training(
            _ part: String, dashed: Bool = false, color: Int? = nil,
            _ value: (TrainingRecord) -> Double?
        ) -> [LinePlot.Series] {
            runs.enumerated().map { index, run in
                LinePlot.Series(
                    name: name(run, part),
                    points: run.training.compactMap { record in
                        value(record).map { LinePlot.Point(x: Double(record.step), y: $0) }
                    }, color: color ?? index, isDashed: dashed)
            }
        }
        func validation(
            _ part: String, color: Int, _ value: (ValidationRecord) -> Double
        ) -> [LinePlot.Series] {
            runs.enumerated().map { index, run in
                LinePlot.Series(
                    name: name(run, part),
                    points: run.validation.map {
                        LinePlot.Point(x: Double($0.step), y: value($0))
                    }, color: isSingle ? color : index, isMarked: run.validation.count <= 60)
            }
        }
        // Of several runs, training is the broken line; of one, it has a colour of its own.
        let others = isSingle ? 0 : nil
        let plots = [
            LinePlot(
                title: "Loss", xLabel: "step",
                series: training("training", dashed: !isSingle, color: others) { $0.loss }
                    + validation("validation", color: 1) { $0.loss }),
            LinePlot(
                title: "Top-1", xLabel: "step",
                series: training("training", dashed: !isSingle, color: others) { $0.top1 }
                    + validation("validation", color: 1) { $0.top1 }
                    + (isSingle ? validation("validation, top-5", color: 2) { $0.top5 } : []),
                isShare: true),
            LinePlot(
                title: "Macro F1 and calibration error", xLabel: "step",
                series: validation("macro F1", color: 1) { $0.macroF1 }
                    + (isSingle ? validation("calibration error", color: 3) { $0.ece } : []),
                startsAtZero: true),
            LinePlot(
                title: "Learning rate", xLabel: "step",
                series: training("learning rate") { $0.learningRate }, startsAtZero: true),
            LinePlot(
                title: "Images a second", xLabel: "step",
                series: training("images/s") { $0.imagesPerSecond }, startsAtZero: true),
            LinePlot(
                title: "Gradient norm", xLabel: "step",
                series: training("gradient norm") { $0.gradientNorm }, startsAtZero: true),
        ]
        return plots.filter { !$0.series.isEmpty }.map { $0.figure() }
    }
}
