import CorvidModels
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A sentence encoder's real weights against transformers, in float64.
    @Suite(
        .enabled(if: Models.encoder != nil, "the sentence encoder has not been fetched; './test --full' does")
    )
    struct SentenceVectorTests {
        /// What `check-sentence-vectors.py --write` writes.
        private struct Golden: Decodable {
            let text: String
            let vector: [Double]
        }

        @Test("vectors of all-MiniLM-L6-v2 are the reference's to 1e-4") func vectors() async throws {
            let golden = try JSONDecoder().decode(
                [Golden].self, from: Data(try Fixtures.bytes("minilm-vectors.json")))
            try #require(golden.count > 5)
            let program = try Program()
            let outcome = try await program.run(
                ["embed", try #require(Models.encoder), "--json"] + golden.flatMap { ["--text", $0.text] })
            try #require(outcome.status == 0, "\(outcome.errors)")
            let vectors = try #require(try outcome.object()["vectors"] as? [[Double]])
            try #require(vectors.count == golden.count)
            for (found, expected) in zip(vectors, golden) {
                try #require(found.count == 384 && expected.vector.count == 384)
                let difference = zip(found, expected.vector).map { abs($0 - $1) }.max() ?? .infinity
                #expect(difference <= 1e-4, "\(expected.text)")
            }
        }
    }
}
