import CorvidModels
import CorvidTensors
import CorvidText
import Testing

@Suite(.timeLimit(.minutes(2))) struct GenerationTests {
    let tokenizer = ByteTokenizer()

    func request(
        _ text: String = "Once upon", maxTokens: Int = 20, samples: Int = 1, seed: UInt64 = 1,
        change: (inout GenerationRequest) -> Void = { _ in }
    ) -> GenerationRequest {
        var request = GenerationRequest(
            prompt: Array(text.utf8).map(Int32.init), maxTokens: maxTokens, sampling: .plain, samples: samples
        )
        request.sampling.seed = seed
        change(&request)
        return request
    }

    func scrambled(contextLength: Int = 1_024) -> StandInModel {
        .scrambled(vocabularySize: tokenizer.vocabularySize + 7, contextLength: contextLength, seed: 42)
    }

    /// What must not depend on how it was made.
    func essence(_ results: [[GenerationResult]]) -> [[String]] {
        results.map { $0.map { "\($0.sample) \($0.ids) \($0.stopReason) \($0.text)" } }
    }

    // MARK: Text

    @Test(
        "the pieces are whole characters and make up the text, which is what the tokens decode to",
        arguments: 0..<20)
    func pieces(seed: Int) async throws {
        // Bytes of all kinds: most sequences are no valid UTF-8.
        let generator = Generator(model: scrambled(), tokenizer: tokenizer)
        var pieces: [String] = []
        var result: GenerationResult?
        for try await event in try generator.start(request(maxTokens: 60, seed: UInt64(seed))) {
            if let piece = event.piece() { pieces.append(piece) }
            if case .finished(let finished) = event { result = finished }
        }
        let text = try #require(result?.text)
        #expect(Array(pieces.joined().utf8) == Array(text.utf8), "seed \(seed)")
        #expect(text == tokenizer.decode(result?.ids ?? [], skipSpecialTokens: true), "seed \(seed)")
    }

    @Test("a character that comes in several tokens is shown when it is whole")
    func slowCharacter() async throws {
        let script = Array("a😀é".utf8).map(Int32.init) + [tokenizer.end]
        let model = StandInModel.scripted(script, after: 9, vocabularySize: 257)
        let generator = Generator(model: model, tokenizer: tokenizer)
        var pieces: [String] = []
        for try await event in try generator.start(request { $0.sampling = .greedy }) {
            if let piece = event.piece() { pieces.append(piece) }
        }
        #expect(pieces == ["a", "😀", "é"])
    }

    @Test("an answer cut within a character ends with one replacement character")
    func cutCharacter() async throws {
        let script = Array("a😀".utf8).map(Int32.init)
        let model = StandInModel.scripted(script, after: 9, vocabularySize: 257)
        let generator = Generator(model: model, tokenizer: tokenizer)
        let result = try await generator.run([request(maxTokens: 3) { $0.sampling = .greedy }])[0][0]
        #expect(result.text == "a\u{FFFD}")
        #expect(result.stopReason == .length)
    }

    @Test("a stop string over several tokens ends the answer and is not shown, in parts or whole")
    func stopString() async throws {
        let script = Array("one. END two".utf8).map(Int32.init)
        let model = StandInModel.scripted(script, after: 9, vocabularySize: 257)
        let generator = Generator(model: model, tokenizer: tokenizer)
        let request = request {
            $0.sampling = .greedy
            $0.stopStrings = ["never", " END"]
        }
        var text = ""
        var result: GenerationResult?
        for try await event in try generator.start(request) {
            text += event.piece() ?? ""
            #expect(!text.contains(" "))
            if case .finished(let finished) = event { result = finished }
        }
        #expect(text == "one.")
        #expect(result?.text == "one.")
        #expect(result?.stopReason == .stop)
        #expect(result?.ids == Array(script.prefix(8)))
        #expect(model.seen.passes.count == 8)
    }

    @Test("a stop string within one token cuts the text of that token")
    func stopInsideToken() async throws {
        let tokenizer = ByteTokenizer(["good<stop>bad"])
        let model = StandInModel.scripted([256], after: 9, vocabularySize: 258)
        let generator = Generator(model: model, tokenizer: tokenizer)
        let result = try await generator.run([
            request {
                $0.sampling = .greedy; $0.stopStrings = ["<stop>"]
            }
        ])[0][0]
        #expect(result.text == "good")
        #expect(result.ids == [256])
    }

    @Test("text held back for a stop string comes when the answer ends otherwise")
    func heldBack() async throws {
        let script = Array("one EN".utf8).map(Int32.init) + [tokenizer.end]
        let model = StandInModel.scripted(script, after: 9, vocabularySize: 257)
        let generator = Generator(model: model, tokenizer: tokenizer)
        let request = request {
            $0.sampling = .greedy; $0.stopStrings = [" END"]
        }
        let result = try await generator.run([request])[0][0]
        #expect(result.text == "one EN")
        #expect(result.stopReason == .eos)
    }

    // MARK: Ends

    @Test("the end-of-sequence token ends an answer, is no part of it, and can be ignored")
    func endOfSequence() async throws {
        let script: [Int32] = [97, 98, tokenizer.end, 99]
        let model = StandInModel.scripted(script, after: 9, vocabularySize: 257)
        let generator = Generator(model: model, tokenizer: tokenizer)
        let result = try await generator.run([request { $0.sampling = .greedy }])[0][0]
        #expect(result.ids == [97, 98] && result.text == "ab" && result.stopReason == .eos)
        let on = try await generator.run([
            request(maxTokens: 4) {
                $0.sampling = .greedy; $0.ignoresEndOfSequence = true
            }
        ])[0][0]
        #expect(on.ids == script && on.text == "abc" && on.stopReason == .length)
    }

    @Test("a stop token of the request ends an answer")
    func stopToken() async throws {
        let model = StandInModel.scripted([97, 98, 99], after: 9, vocabularySize: 257)
        let generator = Generator(model: model, tokenizer: tokenizer)
        let result = try await generator.run([
            request {
                $0.sampling = .greedy; $0.stopIDs = [98]
            }
        ])[0][0]
        #expect(result.ids == [97] && result.stopReason == .stop)
    }

    @Test("a full context ends an answer with the reason length")
    func contextFull() async throws {
        let model = scrambled(contextLength: 15)
        let generator = Generator(model: model, tokenizer: tokenizer)
        for usesCache in [true, false] {
            let result = try await generator.run([
                request(maxTokens: 100) {
                    $0.usesCache = usesCache; $0.ignoresEndOfSequence = true
                }
            ])[0][0]
            #expect(result.ids.count == 6 && result.stopReason == .length)
        }
    }

    @Test("no tokens asked for are no work")
    func noTokens() async throws {
        let model = scrambled()
        let results = try await Generator(model: model, tokenizer: tokenizer).run([
            request(maxTokens: 0, samples: 2)
        ])
        #expect(results[0].map(\.stopReason) == [.length, .length])
        #expect(results[0].map(\.sample) == [0, 1])
        #expect(model.seen.passes.isEmpty)
    }

    @Test("the prompt's progress is told after each chunk")
    func progress() async throws {
        let generator = Generator(model: scrambled(), tokenizer: tokenizer)
        let seen = Collector<GenerationEvent>()
        _ = try await generator.run([request(maxTokens: 1) { $0.prefillChunk = 4 }]) { seen.append($0) }
        #expect(
            Array(seen.all.prefix(3)) == [
                .prefill(request: 0, done: 4, total: 9), .prefill(request: 0, done: 8, total: 9),
                .prefill(request: 0, done: 9, total: 9),
            ])
    }

    // MARK: Refusals

    @Test("what cannot be run is refused before any work")
    func refusals() async throws {
        let model = scrambled(contextLength: 9)
        let generator = Generator(model: model, tokenizer: tokenizer)
        let size = model.vocabularySize
        let long = GenerationError.promptTooLong(tokens: 9, contextLength: 9)
        let cases: [(GenerationRequest, GenerationError)] = [
            (request(""), .emptyPrompt),
            (request(), long),
            (request("Once upon a"), .promptTooLong(tokens: 11, contextLength: 9)),
            (request("a") { $0.prompt = [1, -1] }, .promptToken(id: -1, index: 1, vocabularySize: size)),
            (
                request("a") { $0.prompt = [Int32(size)] },
                .promptToken(id: Int32(size), index: 0, vocabularySize: size)
            ),
            (
                request("a", maxTokens: -1),
                .outOfRange(field: "max-tokens", found: "-1", allowed: "0 or more")
            ),
            (request("a", samples: 0), .outOfRange(field: "samples", found: "0", allowed: "1 to 1024")),
            (
                request("a") { $0.prefillChunk = 0 },
                .outOfRange(field: "prefill-chunk", found: "0", allowed: "1 or more")
            ),
            (
                request("a") { $0.stopStrings = ["x", ""] },
                .outOfRange(field: "stop", found: "an empty string", allowed: "at least one character")
            ),
            (
                request("a") { $0.sampling.topP = 2 },
                .outOfRange(field: "top-p", found: "2.0", allowed: "0 to 1")
            ),
        ]
        for (bad, expected) in cases {
            #expect(throws: expected) { try generator.start(bad) }
            await #expect(throws: expected) { try await generator.run([request("a"), bad]) }
            #expect(!expected.description.contains("\n"))
        }
        #expect(model.seen.passes.isEmpty)
    }

    @Test("an error of the model reaches the reader after what came before it")
    func modelError() async throws {
        let failure = PassError.token(id: 1, vocabularySize: 1)
        let model = StandInModel.scrambled(vocabularySize: 257, seed: 1) { if $0 == 3 { throw failure } }
        let generator = Generator(model: model, tokenizer: tokenizer)
        let seen = Collector<GenerationEvent>()
        await #expect(throws: failure) {
            for try await event in try generator.start(request { $0.ignoresEndOfSequence = true }) {
                seen.append(event)
            }
        }
        #expect(seen.all.count { if case .token = $0 { true } else { false } } == 3)
    }

    @Test("logits of another shape than asked for are an error")
    func wrongShape() async throws {
        await #expect(throws: GenerationError.logitsShape(found: [1, 3], expected: [1, 300])) {
            try await Generator(model: ShapelessModel(), tokenizer: tokenizer).run([request()])
        }
    }

    private struct ShapelessModel: LanguageModel {
        let vocabularySize = 300
        let contextLength = 100
        func makeCache() -> TokenCache { TokenCache() }
        func logits(for batch: Batch<TokenCache>) async throws -> Logits {
            for row in batch.rows { batch.caches[row.sequence].append(row.token) }
            return Logits(rowCount: 1, columns: 3, values: [0, 0, 0])
        }
    }
}
