/// English nouns without their plural, so that "cat" and "cats" stand on the same side of a split.
///
/// Rules for endings and a list of irregular plurals, in place of the WordNet that the authors use: an ending
/// is only taken away if what is left is a word of the vocabulary too. What is no plural is its own lemma. A
/// table of other lemmas goes before all rules.
public struct NounLemmas: Sendable {
    private let words: Set<String>
    private let table: [String: String]

    /// Endings and what stands in their place, the longest first.
    private static let endings: [(plural: String, singular: String)] = [
        ("ches", "ch"), ("shes", "sh"), ("sses", "ss"), ("ies", "y"), ("ves", "f"), ("ves", "fe"),
        ("xes", "x"), ("zes", "z"), ("oes", "o"), ("men", "man"), ("s", ""),
    ]
    private static let irregular = [
        "analyses": "analysis", "appendices": "appendix", "axes": "axis", "bacteria": "bacterium",
        "bases": "base", "children": "child", "crises": "crisis", "criteria": "criterion", "feet": "foot",
        "geese": "goose", "hypotheses": "hypothesis", "indices": "index", "lice": "louse",
        "matrices": "matrix", "mice": "mouse", "oxen": "ox", "phenomena": "phenomenon", "series": "series",
        "species": "species", "teeth": "tooth", "theses": "thesis", "vertices": "vertex", "women": "woman",
    ]

    /// - Parameters:
    ///   - words: the words of a vocabulary, in any case.
    ///   - table: lemmas by word, which go before the rules.
    public init(words: some Sequence<String>, table: [String: String] = [:]) {
        self.words = Set(words.map { $0.lowercased() })
        self.table = table
    }

    /// The singular of a word; the word itself if it is no plural. Upper case stays where it was.
    public func lemma(of word: String) -> String {
        if let lemma = table[word] { return lemma }
        if let lemma = Self.irregular[word] { return lemma }
        guard word.count > 3, !["ss", "us", "is"].contains(where: word.hasSuffix) else { return word }
        for (plural, singular) in Self.endings where word.hasSuffix(plural) {
            let candidate = word.dropLast(plural.count) + singular
            if candidate.count > 1, words.contains(candidate.lowercased()) { return String(candidate) }
        }
        return word
    }

    /// Reads lines of a word, a tab and its lemma; empty lines do not count.
    /// - Parameter file: for messages.
    /// - Throws: ``CharacterProbeError/lemmaLine(file:line:)``.
    public static func table(_ text: String, file: String) throws(CharacterProbeError) -> [String: String] {
        var table: [String: String] = [:]
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            .enumerated()
        {
            if line.isEmpty { continue }
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard fields.count == 2, !fields[0].isEmpty, !fields[1].isEmpty else {
                throw .lemmaLine(file: file, line: index + 1)
            }
            table[String(fields[0])] = String(fields[1])
        }
        return table
    }
}
