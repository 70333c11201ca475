import CorvidModels
import CorvidText
import Testing

@Suite(.timeLimit(.minutes(2))) struct GenerationCancelTests {
    private let tokenizer = ByteTokenizer()

    private func request(samples: Int = 1) -> GenerationRequest {
        var request = GenerationRequest(
            prompt: [65, 66, 67], maxTokens: 1_000, sampling: .greedy, samples: samples)
        request.ignoresEndOfSequence = true
        return request
    }

    /// A model which hangs in pass `number` until its task is cancelled, and says when it hangs and when it
    /// is let go.
    private func hanging(
        in number: Int
    ) -> (
        model: StandInModel, hangs: AsyncStream<Void>, isFreed: AsyncStream<Void>
    ) {
        let (hangs, hanging) = AsyncStream.makeStream(of: Void.self)
        let (isFreed, freed) = AsyncStream.makeStream(of: Void.self)
        let model = StandInModel.scripted(
            Array(97..<123), after: 3, vocabularySize: 257
        ) { pass in
            guard pass == number else { return }
            hanging.finish()
            defer { freed.finish() }
            try await Task.sleep(for: .seconds(3_600))
        }
        return (model, hangs, isFreed)
    }

    private func wait(for signal: AsyncStream<Void>) async {
        for await _ in signal {}
    }

    @Test("cancelling the task of a run ends it as cancelled, with what was made", arguments: [1, 2])
    func task(samples: Int) async throws {
        let (model, hangs, _) = hanging(in: 4)
        let generator = Generator(model: model, tokenizer: tokenizer)
        let task = Task { try await generator.run([request(samples: samples)]) }
        await wait(for: hangs)
        task.cancel()
        let results = try await task.value[0]
        #expect(results.map(\.stopReason) == Array(repeating: .cancelled, count: samples))
        #expect(results.map(\.text) == Array(repeating: "abcd", count: samples))
        #expect(results.map(\.ids) == Array(repeating: [97, 98, 99, 100], count: samples))
    }

    @Test("cancelling within the prompt gives an empty answer for each sample")
    func prompt() async throws {
        let (model, hangs, _) = hanging(in: 0)
        let generator = Generator(model: model, tokenizer: tokenizer)
        let task = Task { try await generator.run([request(samples: 3)]) }
        await wait(for: hangs)
        task.cancel()
        let results = try await task.value[0]
        #expect(results.map(\.sample) == [0, 1, 2])
        #expect(results.allSatisfy { $0.stopReason == .cancelled && $0.text == "" && $0.ids == [] })
    }

    @Test("cancelling a stream lets its reader have the rest and the reason")
    func stream() async throws {
        let (model, hangs, _) = hanging(in: 4)
        let stream = try Generator(model: model, tokenizer: tokenizer).start(request())
        let reader = Task {
            var events: [GenerationEvent] = []
            for try await event in stream { events.append(event) }
            return events
        }
        await wait(for: hangs)
        stream.cancel()
        let events = try await reader.value
        #expect(events.compactMap { $0.piece() }.joined() == "abcd")
        guard case .finished(let result)? = events.last else {
            Issue.record("the last event is \(String(describing: events.last))")
            return
        }
        #expect(result.stopReason == .cancelled && result.text == "abcd")
    }

    @Test("the work stops when the reader leaves its loop, though it still holds the stream")
    func leaving() async throws {
        let (model, hangs, isFreed) = hanging(in: 4)
        let stream = try Generator(model: model, tokenizer: tokenizer).start(request())
        for try await event in stream where event.piece() == "d" {
            await wait(for: hangs)
            break
        }
        await wait(for: isFreed)
        #expect(model.seen.passes.count == 5)
        withExtendedLifetime(stream) {}
    }

    @Test("the work stops when the reader's own task is cancelled")
    func readerCancelled() async throws {
        let (model, hangs, isFreed) = hanging(in: 4)
        let stream = try Generator(model: model, tokenizer: tokenizer).start(request())
        let reader = Task {
            for try await _ in stream {}
        }
        await wait(for: hangs)
        reader.cancel()
        await wait(for: isFreed)
        try await reader.value
        #expect(model.seen.passes.count == 5)
    }

    @Test("the work stops when nobody holds the stream any more")
    func dropped() async throws {
        let (model, hangs, isFreed) = hanging(in: 4)
        do {
            let stream = try Generator(model: model, tokenizer: tokenizer).start(request())
            await wait(for: hangs)
            withExtendedLifetime(stream) {}
        }
        await wait(for: isFreed)
        #expect(model.seen.passes.count == 5)
    }

    @Test(
        "a pass that was cancelled half-way or failed leaves nothing in the cache", arguments: [true, false])
    func rewinding(isCancelled: Bool) async throws {
        let generator = Generator(model: HalfwayModel(isCancelled: isCancelled), tokenizer: tokenizer)
        let cache = TokenCache([65])
        if isCancelled {
            #expect(try await generator.run(request(), cache: cache).map(\.stopReason) == [.cancelled])
        } else {
            await #expect(throws: PassError.self) { try await generator.run(request(), cache: cache) }
        }
        #expect(cache.tokens == [65])
    }

    /// Fills its caches and then does not return.
    private struct HalfwayModel: LanguageModel {
        let vocabularySize = 257
        let contextLength = 100
        let isCancelled: Bool

        func makeCache() -> TokenCache { TokenCache() }

        func logits(for batch: Batch<TokenCache>) async throws -> Logits {
            for row in batch.rows { batch.caches[row.sequence].append(row.token) }
            if isCancelled { throw CancellationError() }
            throw PassError.sequence(index: 0, count: 0)
        }
    }
}
