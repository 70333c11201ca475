import CorvidModels
import TestSupport
import Testing

@testable import CorvidEditing

@Suite struct ToxicityScorerTests {
    @Test("each occurrence of a term counts with its weight") func words() throws {
        let scorer = try WordListScorer("# terms\nbad\t0.5\nvery bad\t0.2\r\nUgly\t1\n", path: "words.tsv")
        #expect(scorer.score("a fine day") == 0)
        #expect(scorer.score("Bad.") == 0.5)
        #expect(scorer.score("bad, bad") == 0.75)
        // "very bad" and the "bad" in it: 1 - 0.8 x 0.5
        #expect(abs(scorer.score("VERY bad") - 0.6) < 1e-12)
        #expect(scorer.score("ugly") == 1 && scorer.score("uglyish badly") == 0)
    }

    @Test("lists that are no lists are named with their line") func refusals() {
        for text in ["", "# nothing\n", "bad", "bad\t2", "bad\tx", "\t0.5", "bad\tnan", "a\t1\tb"] {
            #expect(throws: PruningError.self, "\(text)") { try WordListScorer(text, path: "w") }
        }
    }

    @Test("a classifier gives the probability of its label") func classifier() async throws {
        let model = try TestModel.load("bert-classifier")
        let labels = model.configuration.labels
        #expect(throws: PruningError.label("toxic", known: labels)) { try ModelScorer(model) }
        #expect(throws: PruningError.label("rude", known: labels)) { try ModelScorer(model, label: "rude") }
        #expect(throws: PruningError.notClassifier(path: Fixtures.path("Models/bert"))) {
            try ModelScorer(try TestModel.load("bert"))
        }
        _ = try ModelScorer(model, label: labels[0].uppercased())
    }
}
