import CorvidEditing
import CorvidModels
import CorvidText
import Testing

@Suite struct SavedCalibrationTests {
    private let card = TaskCard(labels: ["no", "yes"])
    private let pool = [
        TaskExample(text: TaskText("red one"), label: 0), TaskExample(text: TaskText("blue two"), label: 1),
        TaskExample(text: TaskText("red three"), label: 0),
    ]

    private func result() async throws -> (FewShotResult, [[Double]]) {
        let model = WordModel(
            labels: ["no", "yes"], training: pool, offsets: [0.5, 0], words: EnglishWords.common)
        let classifier = FewShotClassifier(model, tokenizer: model.tokenizer, card: card)
        let result = try await classifier.run(
            Array(pool.prefix(2)), texts: pool.map(\.text), corpus: pool.map(\.text), seed: .max)
        return (result, try await classifier.masses(Array(pool.prefix(2)), texts: pool.map(\.text)))
    }

    @Test("what is saved and read gives the same probabilities", arguments: CalibrationMethod.allCases)
    func roundTrip(method: CalibrationMethod) async throws {
        let (result, masses) = try await result()
        let saved = SavedCalibration(result, card: card, method: method, model: "m")
        let read = try SavedCalibration(JSON.parse(saved.json.encoded()), file: "f")
        #expect(try read.probabilities(masses) == result.probabilities(method))
        #expect(read.demonstrations == result.demonstrations && read.card == card)
        #expect(read.seed == .max && read.method == method && read.model == "m")
        #expect(read.prior?.probabilities == saved.prior?.probabilities)
        #expect(read.warning(contextDigest: result.contextDigest) == nil)
        #expect(read.warning(contextDigest: Digest(of: [1]))?.contains("another prompt") == true)
    }

    @Test(
        "what was changed or is incomplete is refused",
        arguments: [
            ("format_version", JSON.integer(2), "use a newer corvid"), ("format_version", .null, "missing"),
            ("prior", .array([.number(1), .number(0)]), "prior is not"),
            ("prior", .array([.number(0.5)]), "prior is not"),
            ("prior", .array([.number(0.4), .number(0.4)]), "prior is not"),
            ("prior_texts", .integer(0), "prior_texts"), ("method", .string("x"), "method"),
            ("seed", .string("-1"), "seed"), ("examples", .array([]), "context_hash"),
            ("examples", .array([["text": "a"]]), "no label"), ("examples", .null, "examples"),
            ("context_hash", .string("0"), "context_hash"), ("model", .null, "model"),
            ("task", .null, "the card"),
        ])
    func changed(key: String, value: JSON, reason: String) async throws {
        let saved = SavedCalibration(try await result().0, card: card, method: .domain, model: "m")
        var object = try #require(saved.json.object)
        object[key] = value
        do {
            _ = try SavedCalibration(.object(object), file: "f.json")
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains("f.json") && "\(error)".contains(reason), "\(error)")
        }
    }

    @Test("as a patch it keeps its prior, which a scale takes to a power") func patch() async throws {
        let (result, masses) = try await result()
        let saved = SavedCalibration(result, card: card, method: .domain, model: "m")
        let patch = try saved.patch(PatchHeader(name: "p", method: "calibrate"))
        func read(_ scale: Float) throws -> SavedCalibration {
            try #require(try SavedCalibration(PatchStack([.init(patch, scale: scale)])))
        }
        #expect(try read(1).probabilities(masses) == result.probabilities(.domain))
        // To the power 0 all priors are equal.
        #expect(try read(0).probabilities(masses).predictions == result.probabilities(.plain).predictions)
        let prior = result.bias.domain.probabilities
        let half = try #require(try read(0.5).prior).probabilities
        #expect(abs(half[0] / half[1] - (prior[0] / prior[1]).squareRoot()) < 1e-6)
        #expect(try SavedCalibration(PatchStack([])) == nil)
        #expect(throws: CalibrationError.severalPriors(names: ["p", "p"])) {
            try SavedCalibration(PatchStack([.init(patch), .init(patch)]))
        }
        let plain = SavedCalibration(result, card: card, method: .plain, model: "m")
        #expect(throws: CalibrationError.nothingToSave) {
            try plain.patch(PatchHeader(name: "p", method: "calibrate"))
        }
    }
}
