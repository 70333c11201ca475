/// Why heads cannot be chosen or measured.
public enum PruningError: Error, Equatable, CustomStringConvertible {
    /// More heads are to be removed than the protection leaves.
    case tooMany(pruned: Int, free: Int, heads: Int)
    case ratio(name: String, found: Double)
    case axis(String, known: [String])
    /// An axis whose bias is 0 whatever the model does.
    case degenerate(axis: String, buckets: [String])
    case emptyBucket(axis: String, bucket: String)
    /// Scores that the chosen method needs were not measured.
    case noScores(what: String, how: String)
    case scorer(path: String, reason: String)
    case label(String, known: [String])
    case notClassifier(path: String)
    case prompts(file: String, reason: String)
    case text(tokens: Int)
    case window(Int, allowed: ClosedRange<Int>)
    case cache(file: String, reason: String)
    case layout(family: String)

    public var description: String {
        switch self {
        case .tooMany(let pruned, let free, let heads):
            return "\(pruned) of \(heads) heads are to be removed, but only \(free) are not protected; "
                + "lower --ratio or --protect."
        case .ratio(let name, let found):
            return "--\(name) is \(found); expected 0 to 1."
        case .axis(let axis, let known):
            return "there are no prompts for the axis '\(axis)'; there are some for "
                + known.joined(separator: ", ") + "."
        case .degenerate(let axis, let buckets):
            return
                "axis '\(axis)' has only the bucket \(buckets.joined(separator: ", ")), so that its bias is 0 "
                + "by definition; group its prompts into two buckets or more."
        case .emptyBucket(let axis, let bucket):
            return "bucket '\(bucket)' of axis '\(axis)' has no prompts; give some, or leave it out."
        case .noScores(let what, let how):
            return "\(what) of the heads are not known; \(how)."
        case .scorer(let path, let reason):
            return "toxicity scorer \(path): \(reason)."
        case .label(let label, let known):
            return "the scorer has no label '\(label)'; it has \(known.joined(separator: ", ")). Use --label."
        case .notClassifier(let path):
            return "\(path) gives no scores of labels; a toxicity scorer is a sequence classifier, "
                + "or a file of lines TERM<TAB>WEIGHT."
        case .prompts(let file, let reason):
            return "\(file): \(reason)."
        case .text(let tokens):
            return "the text for perplexity has \(tokens) tokens; give at least 2."
        case .window(let found, let allowed):
            return "a window of \(found) tokens does not fit the model; expected "
                + "\(allowed.lowerBound) to \(allowed.upperBound)."
        case .cache(let file, let reason):
            return "\(file): \(reason). Name another file for --scores, or remove this one."
        case .layout(let family):
            return
                "a \(family) model does not continue texts, so that its heads have no effect on what it says."
        }
    }
}
