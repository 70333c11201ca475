import Foundation

/// -log p of a token under a row of logits, in nats: log sum exp(logits) - logit, summed in f64.
///
/// - Throws: ``GenerationError/notFinite(position:)`` if a logit is NaN or infinite.
func surprise(of id: Int32, in row: ArraySlice<Float>, position: Int) throws -> Double {
    var greatest = -Float.infinity
    for logit in row where logit > greatest { greatest = logit }
    var sum = 0.0
    for logit in row { sum += exponential(Double(logit) - Double(greatest)) }
    let result = log(sum) + Double(greatest) - Double(row[row.startIndex + Int(id)])
    // A NaN anywhere, or +infinity, makes the sum NaN.
    guard !sum.isNaN, greatest.isFinite else { throw GenerationError.notFinite(position: position) }
    return result
}
