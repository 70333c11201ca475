import CorvidTensors
import TestSupport
import Testing

@testable import CorvidEvaluation

/// Probing made-up vectors, of which it is known what they know.
@Suite struct CharacterProbeTests {
    /// Made-up words of two to eight letters, some of them twice or with an upper-case letter, so that lemmas
    /// have several tokens.
    static let vocabulary: ProbeVocabulary = {
        var generator = SeededGenerator(seed: 31)
        var tokens: [ProbeToken] = []
        for _ in 0..<1500 {
            let letters = (0..<generator.int(2...8)).map { _ in
                Character(Unicode.Scalar(UInt8(97 + generator.index(below: 26))))
            }
            var words = [String(letters)]
            if generator.chance(3) { words.append(words[0].prefix(1).uppercased() + words[0].dropFirst()) }
            for word in words {
                tokens.append(ProbeToken(id: Int32(tokens.count), piece: word, word: word))
            }
        }
        return ProbeVocabulary(tokens: tokens, size: tokens.count)
    }()

    /// Vectors with a number for each letter, 1 if the token has it, and noise around them.
    static func oracle(noise: Float) -> TokenVectors {
        var generator = SeededGenerator(seed: 32)
        let values = vocabulary.tokens.flatMap { token in
            (0..<26).map { letter in
                (token.folded.utf8.contains(UInt8(97 + letter)) ? 1 : 0)
                    + Float.random(in: -noise...noise, using: &generator)
            }
        }
        return TokenVectors(values, width: 26)
    }

    private static func settings(
        _ probe: CharacterProbeSettings.Probe, repeats: Int = 1
    ) -> CharacterProbeSettings {
        var settings = CharacterProbeSettings()
        settings.probe = probe
        settings.repeats = repeats
        // Few tokens need larger steps.
        settings.learningRate = 1e-2
        settings.batch = 32
        settings.epochs = 8
        return settings
    }

    @Test("vectors that hold the letters are read, those of the controls are not")
    func oracle() async throws {
        let probe = try CharacterProbe(Self.vocabulary, settings: Self.settings(.ridge, repeats: 2))
        let report = try await probe.run(on: Self.oracle(noise: 0.3), pool: WorkerPool(threads: 2))
        #expect(report.letters.count == 26 && report.skipped.isEmpty)
        #expect(report.mean.mean > 99)
        // 26 letters of some 150 test tokens: one F1 has a deviation of 4 points, their mean of 0.8.
        for control in CharacterProbeSettings.Control.allCases {
            #expect(abs(try #require(report.mean(of: control)).mean - 50) < 3, "\(control)")
        }
        #expect(try #require(report.gap).mean > 45)
        #expect(try #require(report.selectivity).mean > 45)
        #expect(try #require(report.leaveOneOut).mean > 99)
        #expect(report.mean.values.count == 2 && report.mean.interval != nil)
    }

    @Test("the network reads them too, with the same scores for each number of threads")
    func network() async throws {
        var settings = Self.settings(.mlp)
        settings.controls = [.random]
        let probe = try CharacterProbe(Self.vocabulary, letters: ["a", "m", "z"], settings: settings)
        let one = try await probe.run(on: Self.oracle(noise: 0.3), pool: WorkerPool(threads: 1))
        let three = try await probe.run(on: Self.oracle(noise: 0.3), pool: WorkerPool(threads: 3))
        #expect(one == three)
        #expect(one.mean.mean > 95)
        #expect(abs(try #require(one.mean(of: .random)).mean - 50) < 12)
        settings.seed += 1
        let other = try CharacterProbe(Self.vocabulary, letters: ["a", "m", "z"], settings: settings)
        #expect(try await other.run(on: Self.oracle(noise: 0.3), pool: WorkerPool(threads: 2)) != one)
    }

    @Test("the linear probe has the same scores for each number of threads") func threads() async throws {
        let probe = try CharacterProbe(
            Self.vocabulary, letters: ["e", "t"], settings: Self.settings(.ridge))
        let one = try await probe.run(on: Self.oracle(noise: 2), pool: WorkerPool(threads: 1))
        let three = try await probe.run(on: Self.oracle(noise: 2), pool: WorkerPool(threads: 3))
        #expect(one == three)
    }

    @Test("no lemma has tokens on both sides, and tests have as many positives as negatives")
    func sides() throws {
        let probe = try CharacterProbe(Self.vocabulary, settings: Self.settings(.ridge))
        for seed in [UInt64(1), 2, 3] {
            let split = probe.split(seed: seed)
            #expect(split.training.count + split.test.count == Self.vocabulary.tokens.count)
            func lemmas(_ places: [Int]) -> Set<String> {
                Set(places.map { Self.vocabulary.tokens[$0].folded })
            }
            #expect(lemmas(split.training).isDisjoint(with: lemmas(split.test)))
            for letter in probe.letters.indices {
                let examples = probe.examples(letter, split, ProbeRandom(seed: seed))
                for half in [examples.training, examples.test] {
                    #expect(half.examples.count { $0.label } * 2 == half.examples.count)
                }
            }
        }
    }

    @Test("case changes labels and selection, and in the reference leaks upper-case letters")
    func letterCase() throws {
        func mislabelled(_ selection: CharacterProbeSettings.Selection, caseSensitive: Bool) throws -> Int {
            var settings = Self.settings(.ridge)
            settings.selection = selection
            settings.isCaseSensitive = caseSensitive
            let probe = try CharacterProbe(Self.vocabulary, settings: settings)
            let split = probe.split(seed: 5)
            return probe.letters.indices.reduce(0) { sum, letter in
                let examples = probe.examples(letter, split, ProbeRandom(seed: 5)).training.examples
                return sum + abs(2 * examples.count { $0.label } - examples.count)
            }
        }
        #expect(try mislabelled(.clean, caseSensitive: false) == 0)
        #expect(try mislabelled(.clean, caseSensitive: true) == 0)
        #expect(try mislabelled(.reference, caseSensitive: true) == 0)
        #expect(try mislabelled(.reference, caseSensitive: false) > 0)
    }

    @Test("letters with too few tokens are skipped and named") func fewPositives() throws {
        let words = (0..<200).map { $0 < 120 ? "ab" : $0 < 160 ? "bq" : "cd" }
        let tokens = words.enumerated().map { ProbeToken(id: Int32($0), piece: $1, word: $1) }
        let vocabulary = ProbeVocabulary(tokens: tokens, size: 200)
        let probe = try CharacterProbe(vocabulary, letters: ["a", "q", "z", "a"])
        #expect(probe.letters == ["a"])
        #expect(
            probe.skipped == [
                CharacterReport.Skipped(letter: "q", positives: 40),
                CharacterReport.Skipped(letter: "z", positives: 0),
            ])
        #expect(throws: CharacterProbeError.noLetters(fewest: 50)) {
            try CharacterProbe(vocabulary, letters: ["z"])
        }
        #expect(throws: CharacterProbeError.letter("é", alphabet: "a to z")) {
            try CharacterProbe(vocabulary, letters: ["é"])
        }
    }

    @Test("NaN in a vector is named with its token, and settings that make no sense are refused")
    func refused() async throws {
        let probe = try CharacterProbe(Self.vocabulary, settings: Self.settings(.ridge))
        var values = Self.oracle(noise: 0.1).values
        values[26 * 7 + 3] = .nan
        let bad = TokenVectors(values, width: 26)
        let token = Self.vocabulary.tokens[7]
        await #expect(throws: CharacterProbeError.notFinite(id: 7, piece: token.piece)) {
            try await probe.run(on: bad, pool: WorkerPool(threads: 1))
        }
        let changes: [(inout CharacterProbeSettings) -> Void] = [
            { $0.repeats = 0 }, { $0.testShare = 1 }, { $0.batch = 0 }, { $0.epochs = 0 },
            { $0.dropout = 1 }, { $0.learningRate = .nan }, { $0.ridges = [] }, { $0.ridges = [0] },
            { $0.hiddenWidth = 0 }, { $0.developmentShare = -0.1 }, { $0.controlDeviation = 0 },
            { $0.fewestPositives = 1 },
        ]
        for change in changes {
            var settings = CharacterProbeSettings()
            change(&settings)
            #expect(throws: CharacterProbeError.self) {
                try CharacterProbe(Self.vocabulary, settings: settings)
            }
        }
    }

    @Test("a cancelled task ends the work") func cancelled() async throws {
        let probe = try CharacterProbe(Self.vocabulary, settings: Self.settings(.mlp))
        let work = Task { try await probe.run(on: Self.oracle(noise: 0.3), pool: WorkerPool(threads: 1)) }
        work.cancel()
        await #expect(throws: CancellationError.self) { try await work.value }
    }

    @Test("controls have the deviation they should, and permuted rows are the same rows") func controls() {
        let vectors = Self.oracle(noise: 0.3)
        let random = ProbeRandom(seed: 1)
        let normal = vectors.control(.random, deviation: 0.01, random: random)
        #expect(abs(normal.deviation - 0.01) < 0.0002)
        let scaled = vectors.control(.scaled, deviation: 0.01, random: random)
        #expect(abs(scaled.deviation - vectors.deviation) < 0.02 * vectors.deviation)
        let permuted = vectors.control(.permuted, deviation: 0.01, random: random)
        #expect(permuted.values != vectors.values && permuted.values.sorted() == vectors.values.sorted())
        let standard = vectors.standardised()
        #expect(abs(standard.deviation - 1) < 1e-5)
    }
}
