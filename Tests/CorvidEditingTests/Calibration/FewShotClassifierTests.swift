import CorvidEditing
import CorvidModels
import CorvidTensors
import Foundation
import TestSupport
import Testing

@Suite struct FewShotClassifierTests {
    private let card = TaskCard(labels: ["neutral", "hate"])
    private let domain = (0..<12).map { "tweet\($0)" }
    private let fillers = (0..<12).map { "word\($0)" }
    private let cues = [["calm0", "calm1", "calm2"], ["rage0", "rage1", "rage2"]]

    /// Texts of two cues and three words of the domain.
    /// - Parameter bound: as in training, where the domain's words come with class 1 in nine of ten texts, and other
    ///   words with class 0, whatever the cues; these are right in nine of ten texts.
    private func texts(_ count: Int, bound: Bool, seed: UInt64) -> [TaskExample] {
        let random = CounterRandom(seed: seed)
        return (0..<count).map { number in
            func pick(_ words: [String], _ index: UInt32) -> String {
                words[
                    min(
                        Int(random.uniform(step: UInt64(number), index: index) * Double(words.count)),
                        words.count - 1)]
            }
            let label = number % 2
            let isTypical = random.uniform(step: UInt64(number), index: 9) < 0.9
            let isOfDomain = !bound || isTypical == (label == 1)
            let isWrong = bound && random.uniform(step: UInt64(number), index: 10) < 0.1
            let words =
                (0..<2).map { pick(cues[isWrong ? 1 - label : label], UInt32($0)) }
                + (2..<5).map { pick(isOfDomain ? domain : fillers, UInt32($0)) }
            return TaskExample(text: TaskText(words.joined(separator: " ")), label: label)
        }
    }

    private func model(contextLength: Int = 4_096) -> WordModel {
        WordModel(
            labels: ["neutral", "hate"], training: texts(2_000, bound: true, seed: 11), sharpness: 0.3,
            words: EnglishWords.common, contextLength: contextLength)
    }

    private func classifier(_ model: WordModel) -> FewShotClassifier<WordModel> {
        FewShotClassifier(model, tokenizer: model.tokenizer, card: card)
    }

    /// Worked out here, so that the test leans on no other code.
    private func macroF1(_ truth: [Int], _ predictions: [Int]) -> Double {
        let values = (0..<2).map { label -> Double in
            let hits = zip(truth, predictions).count { $0 == label && $1 == label }
            let all = truth.count { $0 == label } + predictions.count { $0 == label }
            return all > 0 ? 2 * Double(hits) / Double(all) : 0
        }
        return (values[0] + values[1]) / 2
    }

    @Test(
        "a bias of the domain's words makes plain predictions useless; domain-context calibration repairs them"
    )
    func plantedBias() async throws {
        let items = texts(200, bound: false, seed: 12)
        let truth = items.compactMap(\.label)
        let corpus = texts(200, bound: false, seed: 13).map(\.text)
        let shown = try Demonstrations.draw(4, from: texts(20, bound: false, seed: 14), card: card, seed: 1)
        let result = try await classifier(model()).run(
            shown, texts: items.map(\.text), corpus: corpus, seed: 1)
        let scores = try CalibrationMethod.allCases.map {
            macroF1(truth, try result.probabilities($0).predictions)
        }
        let (plain, contextual, calibrated) = (scores[0], scores[1], scores[2])
        #expect(result.bias.domainLabelBias > 0.2, "\(result.bias.domainLabelBias)")
        #expect(plain < 0.6, "\(plain)")
        #expect(calibrated > plain + 0.15, "\(calibrated)")
        #expect(contextual - plain < calibrated - plain)
        #expect(CalibrationChoice([result.bias], settings: CalibrationSettings()).method == .domain)
        #expect(result.bias.parts[1].domain > 0)
    }

    @Test("the same seed gives the same prior, and others spread as one over the root of the count")
    func seeds() async throws {
        let corpus = texts(200, bound: false, seed: 13).map(\.text)
        let model = model()
        func priors(_ count: Int) async throws -> [[Double]] {
            var settings = CalibrationSettings()
            settings.randomTexts = count
            let classifier = FewShotClassifier(
                model, tokenizer: model.tokenizer, card: card, settings: settings)
            var found: [[Double]] = []
            for seed in UInt64(0)..<40 {
                found.append(
                    try await classifier.run([], texts: [], corpus: corpus, seed: seed).bias.domain
                        .probabilities)
            }
            return found
        }
        var spreads: [Double] = []
        for count in [5, 20, 80] {
            let found = try await priors(count)
            let mean = found.reduce(0) { $0 + $1[0] } / 40
            spreads.append((found.reduce(0) { $0 + ($1[0] - mean) * ($1[0] - mean) } / 40).squareRoot())
        }
        #expect(spreads[1] < 0.1)
        // Sixteen times as many texts make the spread a quarter; 40 seeds tell it within a factor of about 1.4.
        #expect(spreads[0] > spreads[1] && spreads[1] > spreads[2])
        #expect((2.5...6.5).contains(spreads[0] / spreads[2]), "\(spreads)")
        #expect(try await priors(5) == priors(5))
    }

    @Test("the examples are run once, and the masses are those of whole prompts") func sharedContext()
        async throws
    {
        let model = model()
        let shown = try Demonstrations.draw(8, from: texts(40, bound: false, seed: 3), card: card, seed: 2)
        let items = texts(30, bound: false, seed: 4).map(\.text)
        let whole = items.map { model.tokenizer.encode(card.prompt(shown, $0)) }
        let scorer = try await LabelScorer(
            model, tokenizer: model.tokenizer, card: card, demonstrations: shown)
        #expect(model.rowCount == scorer.contextTokens)
        let found = try await scorer.masses(of: items)
        // The blank before a text is a part of the text's first token, and so not shared in the end.
        let own = whole.reduce(0) { $0 + $1.count - (scorer.contextTokens - 1) }
        #expect(model.rowCount == scorer.contextTokens + own)
        let labels = try ["neutral", "hate"].map { try #require(model.tokenizer.id(of: " " + $0)) }
        for (prompt, masses) in zip(whole, found) {
            let rows = prompt.indices.map {
                Batch<WordCache>.Row(
                    token: prompt[$0], sequence: 0, position: $0, wantsLogits: $0 == prompt.count - 1)
            }
            let logits = try await model.logits(for: Batch(rows: rows, caches: [model.makeCache()])).row(0)
            let powers = logits.map { exp(Double($0)) }
            let sum = powers.reduce(0, +)
            for (label, mass) in zip(labels, masses) {
                #expect(abs(mass / (powers[Int(label)] / sum) - 1) < 1e-5)
            }
        }
    }

    @Test("on a real model the shared context gives the masses of whole prompts to the bit") func realModel()
        async throws
    {
        let model = try Model.load(path: Fixtures.path("Models/gguf-q8_0/model.gguf"))
        let tokenizer = try model.tokenizer
        let card = TaskCard(
            name: "t", questionPrefix: "Q: ", answerPrefix: "A: ", labels: [["a"], ["bc", "x"], ["bdef"]])
        let shown = [TaskExample(text: TaskText("u"), label: 1), TaskExample(text: TaskText("v"), label: 0)]
        let items = ["w", "", "u v"].map { TaskText($0) }
        let scorer = try await LabelScorer(model, tokenizer: tokenizer, card: card, demonstrations: shown)
        let found = try await scorer.masses(of: items)
        for (item, masses) in zip(items, found) {
            let prompt = tokenizer.encode(card.prompt(shown, item), parseSpecial: false)
            var expected: [Double] = []
            for words in card.labels {
                var mass = 0.0
                for word in words {
                    let ids = tokenizer.encode(card.prompt(shown, item) + " " + word, parseSpecial: false)
                    #expect(Array(ids.prefix(prompt.count)) == prompt)
                    let rows = ids.dropLast().enumerated().map {
                        Batch<KeyValueCache>.Row(
                            token: $1, sequence: 0, position: $0, wantsLogits: $0 >= prompt.count - 1)
                    }
                    let logits = try model.logitsBlocking(
                        for: Batch(rows: rows, caches: [try model.makeCache()]))
                    var product = 1.0
                    for (row, id) in ids.dropFirst(prompt.count).enumerated() {
                        let powers = logits.row(row).map { exp(Double($0)) }
                        product *= powers[Int(id)] / powers.reduce(0, +)
                    }
                    mass += product
                }
                expected.append(mass)
            }
            for (one, other) in zip(masses, expected) { #expect(abs(one / other - 1) < 1e-5) }
        }
        #expect(scorer.labelPieces.map(\.count).max() ?? 0 > 1)
    }

    @Test("random texts are added until the prior is as sure as asked for") func tolerance() async throws {
        let model = model()
        let corpus = texts(200, bound: false, seed: 13).map(\.text)
        var settings = CalibrationSettings()
        settings.randomTexts = 5
        settings.tolerance = 0.01
        let sure = try await FewShotClassifier(
            model, tokenizer: model.tokenizer, card: card, settings: settings
        ).run([], texts: [], corpus: corpus, seed: 0).bias.domain
        #expect(sure.textCount > 5 && sure.textCount <= 640)
        #expect(sure.standardErrors.allSatisfy { $0 <= 0.01 })
        settings.tolerance = 1e-9
        settings.mostRandomTexts = 30
        let most = try await FewShotClassifier(
            model, tokenizer: model.tokenizer, card: card, settings: settings
        ).run([], texts: [], corpus: corpus, seed: 0).bias.domain
        #expect(most.textCount == 30)
    }

    @Test("texts that stand among the examples are named, and probabilities are averaged over seeds")
    func shownAndMeans() async throws {
        let classifier = classifier(model())
        let pool = texts(20, bound: false, seed: 5)
        var results: [FewShotResult] = []
        for seed in [UInt64(0), 1] {
            let shown = try Demonstrations.draw(3, from: pool, card: card, seed: seed)
            results.append(
                try await classifier.run(
                    shown, texts: pool.map(\.text), corpus: pool.map(\.text), seed: seed))
            let repeated = pool.indices.filter { index in shown.contains { $0.text == pool[index].text } }
            #expect(results.last?.shown == repeated)
        }
        #expect(results[0].contextDigest != results[1].contextDigest)
        let both = try results.map { try $0.probabilities(.domain) }
        let mean = try FewShotResult.meanProbabilities(.domain, of: results)
        #expect(abs(mean[4][0] - (both[0][4][0] + both[1][4][0]) / 2) < 1e-12)
        #expect(abs(mean[4].reduce(0, +) - 1) < 1e-12)
    }

    @Test("examples or texts that do not fit are named with what they need") func tooLong() async throws {
        let small = model(contextLength: 30)
        let shown = try Demonstrations.draw(8, from: texts(40, bound: false, seed: 3), card: card, seed: 2)
        do {
            _ = try await classifier(small).run(shown, texts: [], corpus: [TaskText("a")], seed: 0)
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains("the prompt with 8 examples needs"), "\(error)")
            #expect("\(error)".contains("the context holds 30"), "\(error)")
        }
        let long = TaskText([String](repeating: "tweet1", count: 40).joined(separator: " "))
        do {
            _ = try await classifier(small).masses([], texts: [TaskText("a"), long])
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains("the prompt and text 1 needs"), "\(error)")
        }
    }

    @Test("labels that the model cannot be asked for are refused with their pieces") func labels()
        async throws
    {
        let model = model()
        func refusal(_ card: TaskCard) async -> String {
            do {
                _ = try await LabelScorer(
                    model, tokenizer: model.tokenizer, card: card, demonstrations: [])
                return ""
            } catch { return "\(error)" }
        }
        // Unknown words are spelled in bytes: " ab" begins with " a".
        #expect(
            await refusal(TaskCard(labels: ["a", "ab"])).contains("\"ab\" ( |a|b) begin with those of \"a\""))
        #expect(await refusal(TaskCard(labels: ["ab", "a"])).contains("begin with those of \"a\""))
        #expect(await refusal(TaskCard(labels: ["a"])).contains("at least two"))
        #expect(await refusal(TaskCard(labels: [])).contains("0 classes"))
        #expect(await refusal(TaskCard(labels: ["a", "a"])).contains("classes 0 and 1"))
        // Without a blank the label grows together with the word before it.
        let joined = TaskCard(
            name: "t", questionPrefix: "Text: ", answerPrefix: "Label:", labels: [["neutral"], ["hate"]])
        #expect(await refusal(joined).contains("joins the label"))
        let pair = try #require(TaskCard.named("rte"))
        let scorer = try await LabelScorer(
            model, tokenizer: model.tokenizer, card: pair, demonstrations: [])
        await #expect(throws: CalibrationError.textCount(index: 0, expected: 2)) {
            try await scorer.masses(of: [TaskText("one")])
        }
        await #expect(throws: CalibrationError.exampleWithoutLabel(index: 0)) {
            _ = try await LabelScorer(
                model, tokenizer: model.tokenizer, card: card,
                demonstrations: [TaskExample(text: TaskText("a"))])
        }
    }

    @Test("settings outside their range are refused") func settings() async {
        let model = model()
        var settings = CalibrationSettings()
        settings.randomTexts = 0
        let none = settings
        settings.randomTexts = 1
        settings.tolerance = 0
        for settings in [none, settings] {
            await #expect(throws: CalibrationError.self) {
                _ = try await FewShotClassifier(
                    model, tokenizer: model.tokenizer, card: card, settings: settings
                ).run([], texts: [], corpus: [TaskText("a")], seed: 0)
            }
        }
    }
}
