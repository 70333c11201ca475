import CorvidEditing
import Testing

@Suite struct RandomTextsTests {
    private let corpus = [
        TaskText("The cat sat"), TaskText("the dog\tran  away now"), TaskText("THE end ."),
    ]

    @Test("texts of the corpus's words have its mean length and one, its words in lower case, and a period")
    func domain() throws {
        let random = try RandomTexts(corpus: corpus, seed: 7)
        // 3, 5 and 3 words: 11 / 3 without its fraction, and one.
        #expect(random.lengths == [4])
        let texts = random.texts(.domain, 0..<200)
        let known: Set = ["the", "cat", "sat", "dog", "ran", "away", "now", "end", "."]
        var counts: [String: Int] = [:]
        for text in texts {
            #expect(text.second == nil && text.first.hasSuffix(" ."))
            let words = text.first.split(separator: " ").map(String.init)
            #expect(words.count == 5 && Set(words).isSubset(of: known))
            for word in words.dropLast() { counts[word, default: 0] += 1 }
        }
        // "the" is 3 of 11 words.
        #expect(abs(Double(counts["the"] ?? 0) / 800 - 3.0 / 11) < 0.05)
        #expect(abs(Double(counts["cat"] ?? 0) / 800 - 1.0 / 11) < 0.04)
    }

    @Test("a text depends on the seed and its number alone") func seeds() throws {
        let random = try RandomTexts(corpus: corpus, seed: 7)
        for kind in [RandomTexts.Kind.domain, .english, .sentences] {
            let texts = random.texts(kind, 0..<80)
            #expect(texts == (try RandomTexts(corpus: corpus, seed: 7)).texts(kind, 0..<80))
            #expect(random.texts(kind, 20..<40) == Array(texts[20..<40]))
            #expect((try RandomTexts(corpus: corpus, seed: 8)).texts(kind, 0..<80) != texts)
        }
    }

    @Test("texts without content are those of contextual calibration, and tokens in the corpus's length")
    func contentFree() throws {
        let random = try RandomTexts(corpus: corpus, seed: 1)
        #expect(random.texts(.contextual, 0..<20) == ["N/A", "", "[MASK]"].map { TaskText($0) })
        #expect(
            random.texts(.tokens, 0..<20).map(\.first) == [
                "N/A N/A N/A N/A .", "null null null null .", "[MASK] [MASK] [MASK] [MASK] .",
            ])
    }

    @Test("two texts are made each of its own field's words") func pairs() throws {
        let pairs = [TaskText("a b c d e", "x"), TaskText("a b c d e", "y z")]
        let random = try RandomTexts(corpus: pairs, seed: 3)
        #expect(random.lengths == [6, 2])
        for text in random.texts(.domain, 0..<20) {
            let first = Set(text.first.split(separator: " ").map(String.init))
            let second = Set((text.second ?? "?").split(separator: " ").map(String.init))
            #expect(first.isSubset(of: ["a", "b", "c", "d", "e", "."]))
            #expect(second.isSubset(of: ["x", "y", "z", "."]))
        }
        #expect(random.texts(.contextual, 0..<1) == [TaskText("N/A", "N/A")])
        for text in random.texts(.sentences, 0..<5) { #expect(text.first != text.second) }
    }

    @Test("English words come from the list that is given") func english() throws {
        let random = try RandomTexts(corpus: corpus, english: ["one", "two"], seed: 1)
        for text in random.texts(.english, 0..<10) {
            let words = Set(text.first.split(separator: " ").map(String.init))
            #expect(words.isSubset(of: ["one", "two", "."]))
        }
        #expect(EnglishWords.common.count > 1_000)
        #expect(Set(EnglishWords.common).count == EnglishWords.common.count)
    }

    @Test("a corpus without words is refused") func noWords() {
        #expect(throws: CalibrationError.noWords) { try RandomTexts(corpus: [], seed: 1) }
        #expect(throws: CalibrationError.noWords) { try RandomTexts(corpus: [TaskText(" \n")], seed: 1) }
        #expect(throws: CalibrationError.noWords) {
            try RandomTexts(corpus: [TaskText("a", " ")], seed: 1)
        }
        #expect(throws: CalibrationError.noWords) {
            try RandomTexts(corpus: [TaskText("a")], english: [], seed: 1)
        }
    }
}

@Suite struct DemonstrationsTests {
    private let card = TaskCard(labels: ["no", "yes"])
    private let pool = (0..<50).map { TaskExample(text: TaskText("text \($0)"), label: $0 % 2) }

    @Test("examples are drawn without repetition, each as often as the others, the same for a seed")
    func drawn() throws {
        var counts = [Int](repeating: 0, count: 50)
        for seed in UInt64(0)..<1_000 {
            let drawn = try Demonstrations.draw(10, from: pool, card: card, seed: seed)
            #expect(Set(drawn).count == 10)
            for example in drawn { counts[pool.firstIndex(of: example) ?? 0] += 1 }
        }
        // 200 each on the average, with a standard deviation of 12.6.
        #expect(counts.allSatisfy { abs($0 - 200) < 60 })
        let ten = try Demonstrations.draw(10, from: pool, card: card, seed: 4)
        #expect(try Demonstrations.draw(10, from: pool, card: card, seed: 4) == ten)
        #expect(try Demonstrations.draw(4, from: pool, card: card, seed: 4) == Array(ten.prefix(4)))
        #expect(try Set(Demonstrations.draw(50, from: pool, card: card, seed: 4)) == Set(pool))
        #expect(try Demonstrations.draw(0, from: [], card: card, seed: 4).isEmpty)
    }

    @Test("a part of a set is frozen and in the set's order") func part() {
        let part = Demonstrations.part(7, of: pool, seed: 0)
        #expect(part.count == 7 && part == Demonstrations.part(7, of: pool, seed: 0))
        let places = part.compactMap { pool.firstIndex(of: $0) }
        #expect(places == places.sorted() && Set(places).count == 7)
        #expect(Demonstrations.part(50, of: pool, seed: 0) == pool)
        #expect(Demonstrations.part(99, of: pool, seed: 0) == pool)
    }

    @Test("texts that are shown as examples are found") func shown() {
        let texts = [TaskText("a"), TaskText("text 3"), TaskText("b"), TaskText("text 3")]
        #expect(Demonstrations.shown(among: texts, Array(pool.prefix(5))) == [1, 3])
        #expect(Demonstrations.shown(among: texts, []) == [])
    }

    @Test("what cannot be drawn is refused") func refused() {
        #expect(throws: CalibrationError.fewExamples(asked: 51, pool: 50)) {
            try Demonstrations.draw(51, from: pool, card: card, seed: 0)
        }
        let same = pool.filter { $0.label == 1 }
        #expect(throws: CalibrationError.oneClass("yes", examples: 25)) {
            try Demonstrations.draw(4, from: same, card: card, seed: 0)
        }
        let bare = pool + [TaskExample(text: TaskText("x"))]
        #expect(throws: CalibrationError.exampleWithoutLabel(index: 50)) {
            try Demonstrations.draw(4, from: bare, card: card, seed: 0)
        }
        #expect(throws: CalibrationError.self) {
            try Demonstrations.draw(-1, from: pool, card: card, seed: 0)
        }
    }
}
