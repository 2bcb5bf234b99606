import Glibc

/// The logarithm, under a name that hides none of the C library's.
func naturalLogarithm(_ value: Double) -> Double { log(value) }

/// The power of e.
func exponential(_ value: Double) -> Double { exp(value) }

/// Metrics in their plainest form: everything is kept, everything is counted again for each number.
struct ReferenceMetrics {
    var top1 = 0.0
    var top5 = 0.0
    var crossEntropy = 0.0
    var macroF1 = 0.0
    var calibrationError = 0.0
    var precision: [Double] = []
    var recall: [Double] = []
    var confusion: [[Int]] = []
    var losses: [Double] = []

    init(logits: [[Float]], labels: [Int], classCount: Int) {
        let count = Double(labels.count)
        var predictions: [Int] = []
        var confidences: [Double] = []
        for (row, label) in zip(logits, labels) {
            let order = row.indices.sorted { row[$0] == row[$1] ? $0 < $1 : row[$0] > row[$1] }
            predictions.append(order[0])
            if order[0] == label { top1 += 1 / count }
            if order.prefix(5).contains(label) { top5 += 1 / count }
            let largest = Double(row[order[0]])
            let shift = log(row.map { exp(Double($0) - largest) }.reduce(0, +)) + largest
            losses.append(shift - Double(row[label]))
            confidences.append(exp(largest - shift))
        }
        top1 = Double(zip(predictions, labels).filter { $0 == $1 }.count) / count
        top5 = (top5 * count).rounded() / count
        crossEntropy = losses.reduce(0, +) / count
        confusion = (0..<classCount).map { row in
            (0..<classCount).map { column in
                zip(labels, predictions).filter { $0 == row && $1 == column }.count
            }
        }
        var scores: [Double] = []
        for index in 0..<classCount {
            let right = Double(confusion[index][index])
            let named = Double(predictions.filter { $0 == index }.count)
            let own = Double(labels.filter { $0 == index }.count)
            precision.append(right / named)
            recall.append(right / own)
            let (p, r) = (right / named, right / own)
            scores.append(right == 0 ? 0 : 2 * p * r / (p + r))
        }
        macroF1 = scores.reduce(0, +) / Double(classCount)
        for bin in 0..<15 {
            let members = confidences.indices.filter {
                confidences[$0] > Double(bin) / 15 && confidences[$0] <= Double(bin + 1) / 15
            }
            guard !members.isEmpty else { continue }
            let size = Double(members.count)
            let mean = members.map { confidences[$0] }.reduce(0, +) / size
            let right = Double(members.filter { predictions[$0] == labels[$0] }.count) / size
            calibrationError += size / count * abs(mean - right)
        }
    }
}
