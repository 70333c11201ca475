/// Some positions of a sequence: ranges counted from its beginning, or from the end of its prompt.
///
/// What is selected does not depend on how a sequence is cut into passes, on its cache, or on its neighbours in
/// a batch.
public struct Positions: Hashable, Sendable, CustomStringConvertible {
    /// Where position 0 is.
    public enum Origin: String, Hashable, Sendable {
        /// The sequence's first token.
        case start
        /// The first token after the prompt: the prompt's last one has position -1.
        case promptEnd
    }

    public let origin: Origin
    /// Ascending and apart from one another; an end of `Int.max` is open.
    public let ranges: [Range<Int>]

    public init(_ ranges: [Range<Int>], from origin: Origin = .start) {
        self.origin = origin
        var joined: [Range<Int>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
            if let last = joined.last, range.lowerBound <= last.upperBound {
                joined[joined.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                joined.append(range)
            }
        }
        self.ranges = joined
    }

    public static let all = Positions([0..<Int.max])
    /// The tokens that are generated.
    public static let generated = Positions([0..<Int.max], from: .promptEnd)
    /// The last token of the prompt.
    public static let lastOfPrompt = Positions([-1..<0], from: .promptEnd)
    public static func range(_ range: Range<Int>) -> Positions { Positions([range]) }
    public static func at(_ positions: Int...) -> Positions { Positions(positions.map { $0..<$0 + 1 }) }
    public static func from(_ first: Int) -> Positions { Positions([first..<Int.max]) }

    /// Whether the position, counted from ``origin``, is one of them.
    public func contains(_ position: Int) -> Bool {
        ranges.contains { $0.contains(position) }
    }

    /// Position of the first of them, counted from ``origin``; nil if there is none.
    public var first: Int? { ranges.first?.lowerBound }

    public var description: String {
        if self == .all { return "all" }
        if self == .generated { return "generated" }
        let parts = ranges.map { range in
            range.upperBound - 1 == range.lowerBound
                ? "\(range.lowerBound)"
                : "\(range.lowerBound)-" + (range.upperBound == .max ? "" : "\(range.upperBound - 1)")
        }
        return (origin == .promptEnd ? "prompt end: " : "") + parts.joined(separator: ", ")
    }
}
