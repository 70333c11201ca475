/// Pairs of tokens, of which the second is spelled within the first or not.
struct SubstringPairs: Sendable, Equatable {
    /// Places of tokens, two for each pair: the longer, the shorter.
    var places: [Int] = []
    var labels: [Bool] = []

    var examples: ProbeExamples { ProbeExamples(rowsEach: 2, places: places, labels: labels) }

    /// Lower-case tokens of a vocabulary and how they are spelled.
    struct Spellings: Sendable {
        /// Places in the vocabulary's list.
        let places: [Int]
        /// For each place of the list; nil for tokens that do not take part.
        let texts: [[Character]?]
        private let byText: [String: [Int]]
        private let byLength: [Int: [Int]]

        init(_ vocabulary: ProbeVocabulary, selection: CharacterProbeSettings.Selection) {
            // The authors' code spells with the mark of the vocabulary.
            let spelled = vocabulary.tokens.map { selection == .reference ? $0.piece : $0.word }
            let isLower = vocabulary.tokens.map { $0.word == $0.folded }
            texts = spelled.indices.map { isLower[$0] ? Array(spelled[$0]) : nil }
            places = spelled.indices.filter { isLower[$0] }
            byText = Dictionary(grouping: places) { spelled[$0] }
            let lengths = spelled.map(\.count)
            byLength = Dictionary(grouping: places) { lengths[$0] }
        }

        /// Tokens spelled within a token and shorter than it, by length.
        func within(_ place: Int) -> [Int: [Int]] {
            guard let text = texts[place] else { return [:] }
            var found: [Int: Set<Int>] = [:]
            for length in stride(from: 1, to: text.count, by: 1) {
                for start in 0...text.count - length {
                    for other in byText[String(text[start..<start + length])] ?? [] {
                        found[length, default: []].insert(other)
                    }
                }
            }
            return found.mapValues { $0.sorted() }
        }

        func count(length: Int) -> Int { byLength[length]?.count ?? 0 }
        func place(length: Int, index: Int) -> Int? {
            guard let places = byLength[length], places.indices.contains(index) else { return nil }
            return places[index]
        }
    }

    /// - Parameters:
    ///   - longer: tokens in random order, of which as many are taken as give `most` pairs.
    ///   - among: how tokens are spelled; the shorter ones come from all of them.
    ///   - half: tells training and test apart.
    init(
        _ longer: [Int], among spellings: Spellings, most: Int, random: ProbeRandom, half: UInt32
    ) {
        var pairs: [(longer: Int, shorter: Int, label: Bool)] = []
        var drawn: UInt64 = 0
        for place in longer where spellings.texts[place] != nil {
            if pairs.count >= most { break }
            for (length, positives) in spellings.within(place).sorted(by: { $0.key < $1.key }) {
                let total = spellings.count(length: length)
                var taken = Set(positives)
                // As many of the same length which are not within it, while there are some.
                let negatives = min(positives.count, total - positives.count)
                for positive in positives.prefix(negatives) { pairs.append((place, positive, true)) }
                var found = 0
                while found < negatives {
                    let index = min(Int(random.uniform(.pairs, drawn, half) * Double(total)), total - 1)
                    drawn += 1
                    guard let other = spellings.place(length: length, index: index),
                        taken.insert(other).inserted
                    else { continue }
                    pairs.append((place, other, false))
                    found += 1
                }
            }
        }
        random.shuffle(&pairs, .pairs, index: half + 2)
        pairs = Array(pairs.prefix(most))
        places = pairs.flatMap { [$0.longer, $0.shorter] }
        labels = pairs.map(\.label)
    }
}
