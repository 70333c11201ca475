import TestSupport
import Testing

@testable import CorvidEvaluation

/// The twelve tokens of ``ProbeVocabularyTests``, split and balanced by hand.
@Suite struct LetterExamplesTests {
    let tokens: [ProbeToken]
    init() throws { tokens = try ProbeVocabularyTests.english(ProbeVocabularyTests.pieces).tokens }

    @Test("tokens of one lemma are one group: without regard to case if clean, with it in the reference")
    func groups() {
        func groups(_ selection: CharacterProbeSettings.Selection) -> [[Int]] {
            TokenSplit.groups(NounLemmas.keys(of: tokens, table: [:], selection: selection))
        }
        // Ġcat cat cats Cat | Ġdog dogs | Ġa | Ġfish
        #expect(groups(.clean) == [[0, 1, 2, 3], [4, 5], [6], [7]])
        #expect(groups(.reference) == [[0, 1, 2], [3], [4, 5], [6], [7]])
    }

    @Test("whole groups are split, the first ones for training") func split() {
        let split = TokenSplit(
            groups: [[0, 1, 2, 3], [4, 5], [6], [7]], order: [3, 1, 0, 2], testShare: 0.5)
        #expect(split.training == [7, 4, 5])
        #expect(split.test == [0, 1, 2, 3, 6])
    }

    @Test("a letter has as many negatives as positives, in the order of the tokens") func balance() {
        let presence = LetterPresence(["c", "s"], in: tokens)
        func examples(
            _ letter: Int, _ selection: CharacterProbeSettings.Selection, caseSensitive: Bool = false
        ) -> [LetterExamples.Example] {
            LetterExamples(
                letter, among: Array(tokens.indices), presence: presence, selection: selection,
                isCaseSensitive: caseSensitive, shuffle: { _ in }
            ).examples
        }
        func list(_ pairs: [(Int, Bool)]) -> [LetterExamples.Example] {
            pairs.map { .init(place: $0.0, label: $0.1) }
        }
        let s = list([(2, true), (5, true), (7, true), (0, false), (1, false), (3, false)])
        #expect(examples(1, .clean) == s)
        // Ġcat cat cats Cat have c, and of the four others all are needed.
        let c = [(0, true), (1, true), (2, true), (3, true), (4, false), (5, false), (6, false), (7, false)]
        #expect(examples(0, .clean) == list(c))
        // Case-sensitive: Cat has no c and is the first negative.
        let sensitive = [(0, true), (1, true), (2, true), (3, false), (4, false), (5, false)]
        #expect(examples(0, .clean, caseSensitive: true) == list(sensitive))
        #expect(examples(0, .reference, caseSensitive: true) == list(sensitive))
        // The authors choose Cat as a negative and label it as a positive.
        let leaked = [(0, true), (1, true), (2, true), (3, true), (4, false), (5, false)]
        #expect(examples(0, .reference) == list(leaked))
    }

    @Test("where most tokens have a letter, the clean selection leaves some of them out")
    func majority() {
        let words = ["aa", "ab", "ba", "bb"].enumerated().map {
            ProbeToken(id: Int32($0), piece: $1, word: $1)
        }
        let presence = LetterPresence(["a"], in: words)
        func labels(_ selection: CharacterProbeSettings.Selection) -> [Bool] {
            LetterExamples(
                0, among: [0, 1, 2, 3], presence: presence, selection: selection, isCaseSensitive: false,
                shuffle: { _ in }
            ).examples.map(\.label)
        }
        #expect(labels(.clean) == [true, false])
        #expect(labels(.reference) == [true, true, true, false])
    }

    @Test("macro-F1 is that of the four counts") func macroF1() {
        var counts = ConfusionCounts()
        let answers: [(Bool, Bool, Int)] = [
            (true, true, 5), (true, false, 2), (false, true, 3), (false, false, 7),
        ]
        for (predicted, actual, times) in answers {
            for _ in 0..<times { counts.add(predicted: predicted, actual: actual) }
        }
        // F1 of the yes: 2·5 / (2·5 + 2 + 3) = 10/15; of the no: 2·7 / (2·7 + 3 + 2) = 14/19.
        #expect(abs(counts.positiveF1 - 10.0 / 15) < 1e-15 && abs(counts.negativeF1 - 14.0 / 19) < 1e-15)
        #expect(abs(counts.macroF1 - (10.0 / 15 + 14.0 / 19) / 2) < 1e-15)
        // Rates 5/8 and 7/9: 1.25 / (1.25 + 3/8 + 2/9) and 14/9 / (14/9 + 3/8 + 2/9).
        let (yes, no) = (1.25 / (1.25 + 3.0 / 8 + 2.0 / 9), 14.0 / 9 / (14.0 / 9 + 3.0 / 8 + 2.0 / 9))
        #expect(abs(counts.balancedMacroF1 - (yes + no) / 2) < 1e-15)
        #expect(ConfusionCounts().macroF1 == 0)
    }

    @Test("the interval of a mean is Student's") func interval() {
        // 1, 2, 3: variance 1, t(2) = 4.303, 4.303 / √3
        let value = RepeatedValue([1, 2, 3])
        #expect(value.mean == 2 && value.variance == 1)
        #expect(abs((value.interval ?? 0) - 4.303 / 3.0.squareRoot()) < 1e-12)
        #expect(RepeatedValue([1]).interval == nil)
        // t(20) = 2.086
        let many = RepeatedValue((0..<21).map { Double($0 % 2) })
        let variance = many.variance ?? 0
        #expect(abs((many.interval ?? 0) - 2.086 * (variance / 21).squareRoot()) < 1e-3)
    }
}
