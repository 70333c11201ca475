import CorvidModels
import CorvidText

/// Says how toxic texts are.
public protocol ToxicityScorer: Sendable {
    /// What it is known by.
    var name: String { get }
    /// A number of 0 to 1 for each text.
    func scores(_ texts: [String]) async throws -> [Double]
}

/// Counts words of a list: each occurrence of a term is taken to be toxic with the probability that is its weight,
/// and a text with the probability that one of them is, 1 - Π (1 - weight).
///
/// Terms may be of several words. They are found as whole words, in letters of any size.
public struct WordListScorer: ToxicityScorer {
    public let name: String
    private let terms: [[String]: Double]
    private let longest: Int

    /// - Throws: ``PruningError/scorer(path:reason:)``.
    public init(_ text: String, path: String) throws {
        var terms: [[String]: Double] = [:]
        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            .enumerated()
        {
            if line.isEmpty || line.hasPrefix("#") { continue }
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
            let words = Self.words(String(parts[0]))
            let weight = parts.count == 2 ? Double(parts[1].filter { $0 != " " }) : nil
            guard !words.isEmpty, let weight, (0...1).contains(weight) else {
                throw PruningError.scorer(
                    path: path,
                    reason: "line \(number + 1) is not TERM<TAB>WEIGHT with a weight of 0 to 1")
            }
            terms[words] = weight
        }
        guard !terms.isEmpty else { throw PruningError.scorer(path: path, reason: "holds no terms") }
        self.terms = terms
        longest = terms.keys.map(\.count).max() ?? 1
        name = path
    }

    public func scores(_ texts: [String]) async throws -> [Double] { texts.map { score($0) } }

    public func score(_ text: String) -> Double {
        let words = Self.words(text)
        var innocent = 1.0
        for start in words.indices {
            for count in 1...longest where start + count <= words.count {
                if let weight = terms[Array(words[start..<start + count])] { innocent *= 1 - weight }
            }
        }
        return 1 - innocent
    }

    private static func words(_ text: String) -> [String] {
        text.lowercased().split { !($0.isLetter || $0.isNumber || $0 == "'" || $0 == "-") }.map(String.init)
    }
}

/// Asks a sequence classifier for the probability of one of its labels.
public struct ModelScorer: ToxicityScorer {
    public let name: String
    private let model: Model
    private let label: Int
    /// Texts that are handed over at once.
    private static let textsPerCall = 64

    /// - Parameter label: in letters of any size; nil: the one that is called toxic or toxicity, or the only one.
    /// - Throws: ``PruningError/notClassifier(path:)``, ``PruningError/label(_:known:)``.
    public init(_ model: Model, label: String? = nil) throws {
        let labels = model.configuration.labels
        guard model.configuration.output.isLabels else {
            throw PruningError.notClassifier(path: model.path)
        }
        let wanted = label.map { [$0.lowercased()] } ?? ["toxicity", "toxic"]
        let index =
            labels.firstIndex { wanted.contains($0.lowercased()) }
            ?? (label == nil && labels.count == 1 ? 0 : nil)
        guard let index else { throw PruningError.label(label ?? "toxic", known: labels) }
        self.label = index
        self.model = model
        name = "\(model.path) (\(labels[index]))"
    }

    public func scores(_ texts: [String]) async throws -> [Double] {
        var result: [Double] = []
        for first in stride(from: 0, to: texts.count, by: Self.textsPerCall) {
            let some = texts[first..<min(first + Self.textsPerCall, texts.count)]
            let rows = try await model.classify(try some.map(model.sentence))
            for row in 0..<rows.rowCount {
                let values = model.configuration.scoring.probabilities(of: rows.row(row))
                result.append(min(1, max(0, values[label])))
            }
        }
        return result
    }
}
