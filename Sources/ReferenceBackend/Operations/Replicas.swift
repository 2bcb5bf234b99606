/// The mean by element, summed in the order of replicas.
func replicaMean<Scalar: ReferenceScalar>(_ x: [[Scalar]]) -> [Scalar] {
    var sums = x[0]
    for values in x.dropFirst() {
        for index in sums.indices { sums[index] += values[index] }
    }
    let count = Scalar(x.count)
    return sums.map { $0 / count }
}

/// The moments `[2, C]` of all data together, from those of each replica's: distances from the mean of the means come
/// second, so that large means cost no accuracy.
func replicaMoments<Scalar: ReferenceScalar>(_ moments: [[Scalar]]) -> [Scalar] {
    if moments.count == 1 { return moments[0] }
    var result = replicaMean(moments)
    let channels = result.count / 2
    for channel in 0..<channels {
        var sum: Scalar = 0
        for own in moments {
            let distance = own[channel] - result[channel]
            sum += distance * distance
        }
        result[channels + channel] += sum / Scalar(moments.count)
    }
    return result
}
