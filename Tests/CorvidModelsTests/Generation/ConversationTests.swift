import CorvidModels
import CorvidText
import Foundation
import Testing

@Suite(.timeLimit(.minutes(2))) struct ConversationTests {
    private static let source = """
        {%- for message in messages -%}
        [{{ message.role }}]{{ message.content }}<end>
        {%- endfor -%}
        {%- if add_generation_prompt -%}[assistant]{%- endif -%}
        """

    private let tokenizer = ByteTokenizer()

    /// Answers with as many letters as the number at the end of the last user message, then ends.
    private func counting(
        contextLength: Int = 1_024, before: @escaping @Sendable (Int) async throws -> Void = { _ in }
    ) -> StandInModel {
        let tokenizer = tokenizer
        return StandInModel(vocabularySize: 257, contextLength: contextLength, before: before) { tokens in
            var logits = [Float](repeating: 0, count: 257)
            let text = tokenizer.decode(tokens)
            let parts = text.components(separatedBy: "[assistant]")
            let question = parts.dropLast().last ?? ""
            let wanted = Int(String(question.filter(\.isNumber).suffix(1))) ?? 0
            logits[(parts.last?.count ?? 0) < wanted ? 97 : 256] = 20
            return logits
        }
    }

    private func conversation(
        _ model: StandInModel, transcript: Transcript = Transcript(),
        change: (inout ConversationSettings) -> Void = { _ in }
    ) throws -> Conversation<StandInModel> {
        var settings = ConversationSettings()
        settings.sampling = .greedy
        change(&settings)
        return Conversation(
            generator: Generator(model: model, tokenizer: tokenizer),
            template: try ChatTemplate(source: Self.source), settings: settings, transcript: transcript)
    }

    private func say(_ text: String, in conversation: Conversation<StandInModel>) async throws -> Reply {
        try await conversation.reply(to: text) { _ in }
    }

    @Test("a dialogue is rendered, answered and remembered")
    func turns() async throws {
        let conversation = try conversation(counting(), transcript: Transcript(system: "Be brief."))
        #expect(try await say("give 3", in: conversation).text == "aaa")
        #expect(try await say("give 5", in: conversation).text == "aaaaa")
        let transcript = await conversation.transcript
        #expect(transcript.system == "Be brief.")
        #expect(transcript.messages.map(\.role) == ["user", "assistant", "user", "assistant"])
        #expect(transcript.messages.map(\.content) == ["give 3", "aaa", "give 5", "aaaaa"])
    }

    @Test("a turn runs only what follows the part that the cache holds, and says the same as without a cache")
    func cache() async throws {
        let model = counting()
        let conversation = try conversation(model)
        _ = try await say("give 3", in: conversation)
        let before = model.seen.rows
        let reply = try await say("give 4", in: conversation)
        // "[user]give 3<end>[assistant]aaa" is held: 6 + 6 + 1 + 11 + 3 tokens.
        #expect(reply.result.cachedTokens == 27)
        // The rest is "<end>[user]give 4<end>[assistant]", then the four letters.
        #expect(reply.result.promptTokens == 27 + 1 + 24)
        #expect(model.seen.rows - before == 25 + 4)

        let plain = try self.conversation(counting()) { $0.usesCache = false }
        _ = try await say("give 3", in: plain)
        let other = try await say("give 4", in: plain)
        #expect(other.result.cachedTokens == 0)
        #expect(other.text == reply.text)
    }

    @Test("after a change of the system prompt the cache is used as far as the prompts agree")
    func changedSystem() async throws {
        let conversation = try conversation(counting(), transcript: Transcript(system: "one"))
        _ = try await say("give 3", in: conversation)
        try await conversation.setSystem("own")
        // "[system]o" is common.
        #expect(try await say("give 2", in: conversation).result.cachedTokens == 9)
    }

    @Test("when the context is full the oldest turns go, never the system prompt, and the reply says so")
    func dropping() async throws {
        let model = counting(contextLength: 120)
        let conversation = try conversation(model, transcript: Transcript(system: "S")) { $0.maxTokens = 20 }
        var dropped: [Int] = []
        let events = Collector<ReplyEvent>()
        for turn in 1...5 {
            let reply = try await conversation.reply(to: "turn \(turn) give 9") { events.append($0) }
            #expect(reply.text == "aaaaaaaaa")
            #expect(reply.result.promptTokens <= 100)
            dropped.append(reply.droppedTurns)
        }
        // The system prompt has 10 tokens, a turn 44, an open question 35: two turns before it leave no room.
        #expect(dropped == [0, 0, 1, 1, 1])
        #expect(events.all.count { $0 == .dropped(turns: 1) } == 3)
        #expect(await conversation.droppedMessages == 6)
        // Nothing is lost from the transcript.
        #expect(await conversation.transcript.messages.count == 10)
    }

    @Test("the model sees the system prompt first and the newest message last after turns were dropped")
    func droppedPrompt() async throws {
        let model = counting(contextLength: 120)
        let conversation = try conversation(model, transcript: Transcript(system: "S")) {
            $0.maxTokens = 20
            $0.usesCache = false
        }
        for turn in 1...4 { _ = try await say("turn \(turn) give 9", in: conversation) }
        let rows = try #require(model.seen.passes.last).map(\.token)
        let text = tokenizer.decode(rows)
        #expect(text.hasPrefix("[system]S<end>[user]turn 3 give 9<end>"))
        #expect(text.contains("[user]turn 4 give 9<end>[assistant]"))
        #expect(!text.contains("turn 2"))
    }

    @Test("a message that does not fit alone is refused and taken back")
    func tooLong() async throws {
        let conversation = try conversation(counting(contextLength: 60))
        _ = try await say("give 3", in: conversation)
        await #expect(throws: GenerationError.self) {
            try await say(String(repeating: "x", count: 100), in: conversation)
        }
        #expect(await conversation.transcript.messages.count == 2)
        #expect(await conversation.droppedMessages == 0)
        #expect(try await say("give 2", in: conversation).text == "aa")
    }

    @Test("what came of a cancelled answer stays, and the dialogue goes on")
    func cancelled() async throws {
        let (hangs, hanging) = AsyncStream.makeStream(of: Void.self)
        let model = counting { pass in
            guard pass == 4 else { return }
            hanging.finish()
            try await Task.sleep(for: .seconds(3_600))
        }
        let conversation = try conversation(model)
        let task = Task { try await say("give 9", in: conversation) }
        for await _ in hangs {}
        task.cancel()
        let reply = try await task.value
        #expect(reply.stopReason == .cancelled)
        #expect(reply.text == "aaaa")
        #expect(await conversation.transcript.messages.map(\.content) == ["give 9", "aaaa"])
        #expect(try await say("give 2", in: conversation).text == "aa")
    }

    @Test("a message is taken back when its answer is cancelled before it begins")
    func cancelledAtOnce() async throws {
        let (hangs, hanging) = AsyncStream.makeStream(of: Void.self)
        let model = counting { pass in
            guard pass == 0 else { return }
            hanging.finish()
            try await Task.sleep(for: .seconds(3_600))
        }
        let conversation = try conversation(model)
        let task = Task { try await say("give 9", in: conversation) }
        for await _ in hangs {}
        await #expect(throws: ConversationError.busy) { try await say("give 1", in: conversation) }
        await #expect(throws: ConversationError.busy) { try await conversation.replace(with: Transcript()) }
        task.cancel()
        #expect(try await task.value.stopReason == .cancelled)
        #expect(await conversation.transcript.messages.isEmpty)
    }

    @Test("a reply streams, and its pieces make up its text")
    func streaming() async throws {
        let conversation = try conversation(counting())
        var text = ""
        var last: ReplyEvent?
        for try await event in conversation.reply(to: "give 7") {
            if case .text(let piece) = event { text += piece }
            last = event
        }
        #expect(text == "aaaaaaa")
        guard case .finished(let reply)? = last else {
            Issue.record("\(String(describing: last))")
            return
        }
        #expect(reply.text == text && reply.stopReason == .eos)
    }

    @Test("an error takes the message back and leaves the dialogue usable")
    func failure() async throws {
        let failure = PassError.sequence(index: 0, count: 0)
        let model = counting { if $0 == 2 { throw failure } }
        let conversation = try conversation(model)
        await #expect(throws: failure) { try await say("give 5", in: conversation) }
        #expect(await conversation.transcript.messages.isEmpty)
        #expect(try await say("give 5", in: conversation).text == "aaaaa")
    }

    @Test("a template's own refusal is an error and takes the message back")
    func refusal() async throws {
        let conversation = Conversation(
            generator: Generator(model: counting(), tokenizer: tokenizer),
            template: try ChatTemplate(source: "{{ raise_exception('no') }}"))
        await #expect(throws: TemplateError.self) { try await say("give 5", in: conversation) }
        #expect(await conversation.transcript.messages.isEmpty)
    }

    @Test("plain turns stop before the user's next line and are written with one blank")
    func plain() async throws {
        let script = Array(" Hi!\nUser: and".utf8).map(Int32.init)
        let prompt = "User: Hello\nAssistant:"
        let model = StandInModel.scripted(script, after: prompt.utf8.count, vocabularySize: 257)
        var settings = ConversationSettings()
        settings.sampling = .greedy
        let conversation = Conversation(
            generator: Generator(model: model, tokenizer: tokenizer), template: .plain, settings: settings)
        let reply = try await say("Hello", in: conversation)
        #expect(reply.text == " Hi!" && reply.stopReason == .stop)
        #expect(await conversation.transcript.messages.last?.content == "Hi!")
    }
}

@Suite struct TranscriptTests {
    private func path(_ name: String) -> String {
        FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString)-\(name)").path
    }

    @Test("a conversation survives being saved and read", arguments: [nil, "Be brief."])
    func roundTrip(system: String?) throws {
        let path = path("talk.json")
        defer { try? FileManager.default.removeItem(atPath: path) }
        let transcript = Transcript(
            system: system,
            messages: [
                ChatMessage(role: "user", content: "a \"quoted\" line\nand é 😀 /"),
                ChatMessage(role: "assistant", content: ""),
            ])
        try transcript.save(to: path)
        #expect(try Transcript(contentsOf: path) == transcript)
    }

    @Test(
        "a file that holds no conversation is refused in one line that names it",
        arguments: [
            "", "{", "[]", "{}", #"{"messages": 3}"#, #"{"messages": [{"role": "user"}]}"#,
            #"{"messages": [{"role": 1, "content": "x"}]}"#, #"{"messages": ["#,
        ])
    func badFiles(_ content: String) throws {
        let path = path("bad.json")
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(content.utf8).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: TranscriptError.self) { try Transcript(contentsOf: path) }
        let words = error?.description ?? ""
        #expect(words.hasPrefix(path) && !words.contains("\n"), "\(words)")
    }

    @Test("a missing file and a missing folder are refused by name")
    func missing() {
        let error = #expect(throws: TranscriptError.self) { try Transcript(contentsOf: "/no/such/talk.json") }
        #expect(error?.description.hasPrefix("/no/such/talk.json") == true)
        let written = #expect(throws: WriteError.self) { try Transcript().save(to: "/no/such/talk.json") }
        #expect(written?.description.hasPrefix("/no/such/talk.json") == true)
    }
}
