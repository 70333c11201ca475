/// The tokens from which one letter is learned or tested: as many with it as without it.
public struct LetterExamples: Sendable, Equatable {
    public struct Example: Sendable, Equatable {
        /// Place of the token in the vocabulary's list.
        public var place: Int
        /// Whether it is said to have the letter.
        public var label: Bool

        public init(place: Int, label: Bool) {
            self.place = place
            self.label = label
        }
    }

    public var examples: [Example]

    /// Chooses the examples of one letter.
    /// - Parameters:
    ///   - places: tokens to choose from, in random order.
    ///   - presence: which letters tokens have.
    ///   - shuffle: puts the chosen ones in random order.
    init(
        _ letter: Int, among places: [Int], presence: LetterPresence,
        selection: CharacterProbeSettings.Selection,
        isCaseSensitive: Bool, shuffle: (inout [Example]) -> Void
    ) {
        let chooses: (Int) -> Bool
        switch selection {
        case .clean where !isCaseSensitive: chooses = { presence.folded(letter, $0) }
        case .clean, .reference: chooses = { presence.written(letter, $0) }
        }
        var positives = places.filter(chooses)
        let negatives = places.filter { !chooses($0) }.prefix(positives.count)
        // The authors keep all positives where there are fewer negatives.
        if selection == .clean { positives = Array(positives.prefix(negatives.count)) }
        examples = (positives + negatives).map {
            Example(
                place: $0,
                label: isCaseSensitive ? presence.written(letter, $0) : presence.folded(letter, $0))
        }
        shuffle(&examples)
    }
}

/// Which of some letters each token has.
struct LetterPresence: Sendable {
    let letters: [Character]
    /// A bit for each letter, for each token: as it is written, and without regard to case.
    private let writtenBits, foldedBits: [[Bool]]

    init(_ letters: [Character], in tokens: [ProbeToken]) {
        self.letters = letters
        let scalars = letters.map { $0.unicodeScalars.first }
        func bits(_ text: (ProbeToken) -> String) -> [[Bool]] {
            let sets = tokens.map { Set(text($0).unicodeScalars) }
            return scalars.map { scalar in sets.map { set in scalar.map(set.contains) ?? false } }
        }
        writtenBits = bits(\.word)
        foldedBits = bits(\.folded)
    }

    func written(_ letter: Int, _ place: Int) -> Bool { writtenBits[letter][place] }
    func folded(_ letter: Int, _ place: Int) -> Bool { foldedBits[letter][place] }

    /// Tokens that have a letter, under the rule which labels them.
    func count(_ letter: Int, isCaseSensitive: Bool) -> Int {
        (isCaseSensitive ? writtenBits : foldedBits)[letter].count { $0 }
    }

    /// Whether tokens have a letter, under the rule which labels them.
    func labels(_ letter: Int, isCaseSensitive: Bool) -> [Bool] {
        (isCaseSensitive ? writtenBits : foldedBits)[letter]
    }
}
