import CorvidTensors

/// -log p of a token under a row of logits, in nats: log sum exp(logits) - logit, summed in f64.
///
/// - Throws: ``GenerationError/notFinite(position:)`` if a logit is NaN or infinite.
func surprise(of id: Int32, in row: ArraySlice<Float>, position: Int) throws -> Double {
    // A NaN anywhere, or +infinity, reaches the sum; it is -infinity where no logit is finite.
    let sum = Elementwise.logSumExp(row)
    guard sum.isFinite else { throw GenerationError.notFinite(position: position) }
    return sum - Double(row[row.startIndex + Int(id)])
}
