/// How often each class was taken for each other one, and the usual measures of it.
public struct ConfusionMatrix: Sendable, Equatable {
    /// `[classes][classes]`: counts by true class, then by predicted class.
    public let counts: [[Int]]

    /// - Parameters:
    ///   - truth: the right class of each item, 0..<`classes`.
    ///   - predictions: as many.
    /// - Throws: ``ScoringError``.
    public init(truth: [Int], predictions: [Int], classes: Int) throws {
        guard truth.count == predictions.count else {
            throw ScoringError.counts(truth: truth.count, predictions: predictions.count)
        }
        if truth.isEmpty { throw ScoringError.noItems }
        var counts = [[Int]](repeating: [Int](repeating: 0, count: max(0, classes)), count: max(0, classes))
        for (index, pair) in zip(truth, predictions).enumerated() {
            guard counts.indices.contains(pair.0), counts.indices.contains(pair.1) else {
                throw ScoringError.label(index: index, found: [pair.0, pair.1], classes: classes)
            }
            counts[pair.0][pair.1] += 1
        }
        self.counts = counts
    }

    /// Items in all.
    public var total: Int { counts.reduce(0) { $0 + $1.reduce(0, +) } }

    /// The share of items whose class is right.
    public var accuracy: Double {
        let right = counts.indices.reduce(0) { $0 + counts[$1][$1] }
        return Double(right) / Double(total)
    }

    /// Of what was predicted as a class, the share that is; 0 if nothing was.
    public func precision(of label: Int) -> Double {
        Self.ratio(counts[label][label], counts.reduce(0) { $0 + $1[label] })
    }

    /// Of what is of a class, the share that was predicted so; 0 if nothing is.
    public func recall(of label: Int) -> Double {
        Self.ratio(counts[label][label], counts[label].reduce(0, +))
    }

    /// 2 P R / (P + R); 0 where it is not defined.
    public func f1(of label: Int) -> Double {
        let (p, r) = (precision(of: label), recall(of: label))
        return p + r > 0 ? 2 * p * r / (p + r) : 0
    }

    /// The mean of F1 over all classes, also those of which there is no item (``absent``).
    public var macroF1: Double {
        counts.indices.reduce(0) { $0 + f1(of: $1) } / Double(counts.count)
    }

    /// Classes of which there is no item: they lower ``macroF1`` whatever is predicted.
    public var absent: [Int] { counts.indices.filter { counts[$0].allSatisfy { $0 == 0 } } }

    /// Classes that were never predicted.
    public var neverPredicted: [Int] {
        counts.indices.filter { label in counts.allSatisfy { $0[label] == 0 } }
    }

    private static func ratio(_ part: Int, _ whole: Int) -> Double {
        whole > 0 ? Double(part) / Double(whole) : 0
    }
}

/// Why predictions cannot be scored.
public enum ScoringError: Error, Equatable, Sendable, CustomStringConvertible {
    case noItems
    case counts(truth: Int, predictions: Int)
    case label(index: Int, found: [Int], classes: Int)
    case notFinite

    public var description: String {
        switch self {
        case .noItems: "there is nothing to score; give at least one item with its label"
        case .counts(let truth, let predictions):
            "there are \(predictions) predictions for \(truth) items; give one for each"
        case .label(let index, let found, let classes):
            "item \(index) has the classes \(found.map(String.init).joined(separator: " and ")), known are "
                + "0..<\(classes)"
        case .notFinite: "a measure is NaN or infinite for some of the items; it has no interval"
        }
    }
}
