/// Integer arithmetic on what a user asks for: what does not fit becomes the greatest number, which every
/// bound then refuses.
extension Int {
    /// The sum of two numbers that are not negative.
    func addingSaturated(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? Int.max : sum
    }

    /// The product of two numbers that are not negative.
    func multipliedSaturated(by other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? Int.max : product
    }
}
