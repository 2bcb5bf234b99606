import Native
import Reports

/// Writes what was measured: `metrics.jsonl`, `metrics.csv` and TensorBoard's events.
///
/// The two files are cut to where a checkpoint left them when training goes on from it, so that no step is in them twice.
final class MetricsLog {
    private let folder: RunFolder
    private var lines: WritableFile
    private var table: WritableFile
    private let events: EventFileWriter

    /// Opens the files.
    ///
    /// - Throws: `RunError` with code `.cannotWrite`.
    init(_ folder: RunFolder, progress: RunProgress) throws(RunError) {
        self.folder = folder
        do {
            lines = try WritableFile(appendingTo: folder.metrics)
            table = try WritableFile(appendingTo: folder.table)
            // What the checkpoint's own step showed is kept.
            let first = progress.step == 0 ? 0 : progress.step + 1
            events = try EventFileWriter(folder: folder.path, step: first)
            if table.byteCount == 0 { try table.write(Array(MetricsRecord.tableHeader.utf8).span) }
        } catch {
            throw RunError(.cannotWrite, "\(error)")
        }
        try cut(to: progress)
    }

    /// Forgets what was written after a checkpoint.
    ///
    /// - Throws: `RunError` with code `.cannotWrite`.
    func cut(to progress: RunProgress) throws(RunError) {
        do {
            let header = MetricsRecord.tableHeader.utf8.count
            if lines.byteCount > progress.metricsByteCount {
                try lines.truncate(to: progress.metricsByteCount)
                try events.goBack(to: progress.step + 1)
            }
            let rows = max(header, progress.tableByteCount)
            if table.byteCount > rows { try table.truncate(to: rows) }
        } catch {
            throw RunError(.cannotWrite, error.message)
        }
    }

    /// Adds a record.
    ///
    /// - Throws: `RunError` with code `.cannotWrite`.
    func add(_ record: MetricsRecord) throws(RunError) {
        let line = try record.line()
        do {
            try lines.write(Array(line.utf8).span)
            if let row = record.row { try table.write(Array(row.utf8).span) }
            for (tag, value, step) in record.scalars {
                try events.scalar(tag, value, step: step)
            }
        } catch {
            throw RunError(.cannotWrite, "\(error)")
        }
    }

    /// Waits until all is on the disk, and notes the lengths in the progress.
    ///
    /// - Throws: `RunError` with code `.cannotWrite`.
    func synchronize(_ progress: inout RunProgress) throws(RunError) {
        do {
            try lines.synchronize()
            try table.synchronize()
            try events.flush()
        } catch {
            throw RunError(.cannotWrite, "\(error)")
        }
        progress.metricsByteCount = lines.byteCount
        progress.tableByteCount = table.byteCount
    }
}

extension MetricsRecord {
    /// What TensorBoard shows of it.
    fileprivate var scalars: [(tag: String, value: Double, step: Int)] {
        switch self {
        case .train(let record):
            var scalars = [
                ("train/loss", record.loss, record.step), ("train/top1", record.top1, record.step),
                ("train/top5", record.top5, record.step),
                ("train/learning_rate", record.learningRate, record.step),
                ("train/images_per_second", record.imagesPerSecond, record.step),
            ]
            if let norm = record.gradientNorm {
                scalars.append(("train/gradient_norm", norm, record.step))
            }
            return scalars
        case .validation(let record):
            return [
                ("validation/loss", record.loss, record.step),
                ("validation/top1", record.top1, record.step),
                ("validation/top5", record.top5, record.step),
                ("validation/macro_f1", record.macroF1, record.step),
                ("validation/ece", record.ece, record.step),
            ]
        case .event: return []
        }
    }
}
