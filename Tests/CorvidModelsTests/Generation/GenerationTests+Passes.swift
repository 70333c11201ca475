import CorvidModels
import CorvidText
import Testing

/// What is run, and that the answers do not depend on how.
extension GenerationTests {
    // MARK: Same bytes

    @Test("an answer is the same alone and in a batch of 2, 3 or 8", arguments: [2, 3, 8])
    func batches(count: Int) async throws {
        let generator = Generator(model: scrambled(), tokenizer: tokenizer)
        let requests = (0..<count).map { i in
            request(String(repeating: "word ", count: 1 + 7 * i), maxTokens: 5 + 9 * i, samples: 1 + i % 3) {
                $0.prefillChunk = 16
                $0.sampling.repetitionPenalty = 1.2
                $0.sampling.topP = 0.9
            }
        }
        let together = try await generator.run(requests)
        for (index, request) in requests.enumerated() {
            let alone = try await generator.run([request])
            #expect(essence(alone)[0] == essence(together)[index], "request \(index)")
        }
    }

    @Test(
        "an answer is the same with and without a cache, in prefill chunks of 1, 7 and 64",
        arguments: [1, 7, 64], [true, false])
    func chunks(chunk: Int, usesCache: Bool) async throws {
        let generator = Generator(model: scrambled(), tokenizer: tokenizer)
        let text = String(repeating: "abc", count: 31)
        let reference = try await generator.run([request(text, samples: 3)])
        let results = try await generator.run([
            request(text, samples: 3) {
                $0.prefillChunk = chunk
                $0.usesCache = usesCache
            }
        ])
        #expect(essence(results) == essence(reference))
        #expect(Set(reference[0].map(\.ids)).count == 3)
    }

    @Test("a sample is the same whatever the number of samples")
    func sampleCounts() async throws {
        let generator = Generator(model: scrambled(), tokenizer: tokenizer)
        let eight = try await generator.run([request(samples: 8)])
        for count in [1, 2, 3] {
            let few = try await generator.run([request(samples: count)])
            #expect(essence(few)[0] == Array(essence(eight)[0].prefix(count)))
        }
        let other = try await generator.run([request(samples: 8, seed: 2)])
        #expect(essence(other) != essence(eight))
    }

    // MARK: Passes

    @Test("samples share one pass over the prompt, whose last row alone wants logits")
    func sharedPrefill() async throws {
        let model = scrambled()
        let generator = Generator(model: model, tokenizer: tokenizer)
        _ = try await generator.run([request(maxTokens: 4, samples: 3) { $0.ignoresEndOfSequence = true }])
        let passes = model.seen.passes
        #expect(passes.map(\.count) == [9, 3, 3, 3])
        #expect(passes[0].map(\.wantsLogits) == Array(repeating: false, count: 8) + [true])
        #expect(passes[1].map(\.sequence) == [0, 1, 2])
    }

    @Test("prompts of several requests fill a pass up to the chunk, beside one row per answer")
    func mixedPasses() async throws {
        let model = scrambled()
        let generator = Generator(model: model, tokenizer: tokenizer)
        let requests = ["abc", "defghijkl"].map { text in
            request(text, maxTokens: 5) {
                $0.prefillChunk = 4
                $0.ignoresEndOfSequence = true
            }
        }
        _ = try await generator.run(requests)
        // 3 + 1 rows of prompt; then the first answer's row with 4, 4 of the second prompt; then both answer.
        #expect(model.seen.passes.map(\.count) == [4, 5, 5, 2, 2, 1, 1])
    }

    @Test("a finished sample leaves the batch")
    func leaving() async throws {
        // Sample 1 is at once at its end, the others never.
        let end = tokenizer.end
        let model = StandInModel(vocabularySize: 257) { tokens in
            var logits = [Float](repeating: -.infinity, count: 257)
            logits[97] = 0
            logits[Int(end)] = tokens.count == 9 ? 0 : -.infinity
            return logits
        }
        let generator = Generator(model: model, tokenizer: tokenizer)
        let results = try await generator.run([request(maxTokens: 3, samples: 16)])[0]
        let ended = results.count { $0.stopReason == .eos }
        #expect(ended > 0 && ended < 16, "seed 1")
        #expect(model.seen.passes.map(\.count) == [9, 16 - ended, 16 - ended])
        #expect(results.allSatisfy { $0.ids.isEmpty == ($0.stopReason == .eos) })
        #expect(results.allSatisfy { $0.decodePasses == ($0.stopReason == .eos ? 0 : 2) })
    }

    @Test("a sequence without a cache is run from its beginning for each token")
    func withoutCache() async throws {
        let model = scrambled()
        let generator = Generator(model: model, tokenizer: tokenizer)
        let request = request(maxTokens: 3) {
            $0.usesCache = false
            $0.ignoresEndOfSequence = true
        }
        _ = try await generator.run([request])
        #expect(model.seen.passes.map(\.count) == [9, 10, 11])
    }
}
