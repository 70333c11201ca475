import CorvidText

/// Turns the messages of a conversation into the tokens of a prompt.
///
/// Special tokens are the template's alone. Where a message spells one, as in a question about `<|im_end|>`,
/// that is text and is encoded as such: nobody can end a turn, or begin one as somebody else, by typing.
struct PromptEncoder: Sendable {
    private let template: ChatTemplate
    private let tokenizer: any Tokenizer
    private let special: SpecialSpellings

    init(template: ChatTemplate, tokenizer: any Tokenizer) {
        self.template = template
        self.tokenizer = tokenizer
        self.special = SpecialSpellings(of: tokenizer)
    }

    /// The prompt, at the end of which the assistant's turn is open.
    /// - Throws: `TemplateError`, ``ConversationError/noPrivateCharacter``.
    func encode(_ messages: [ChatMessage]) throws -> [Int32] {
        let others = [template.source ?? "", template.beginningOfSequence, template.endOfSequence]
        guard let disguised = try DisguisedMessages(messages, special: special, others: others) else {
            let text = try template.render(messages: messages, addGenerationPrompt: true)
            return encode(Array(text.utf8), parseSpecial: true)
        }
        let text = Array(try template.render(messages: disguised.messages, addGenerationPrompt: true).utf8)

        // What is spelled goes together with the text around it, up to the template's special tokens: so
        // words are cut there as in any other text.
        var ids: [Int32] = []
        var done = 0
        var start = 0
        func add(_ ordinary: Range<Int>) {
            guard let restored = disguised.restored(text[ordinary]) else { return }
            ids += encode(Array(text[done..<ordinary.lowerBound]), parseSpecial: true)
            ids += encode(restored, parseSpecial: false)
            done = ordinary.upperBound
        }
        for token in special.occurrences(in: text) {
            add(start..<token.lowerBound)
            start = token.upperBound
        }
        add(start..<text.count)
        return ids + encode(Array(text[done...]), parseSpecial: true)
    }

    /// The template itself writes the tokens around the text: none are added.
    private func encode(_ bytes: [UInt8], parseSpecial: Bool) -> [Int32] {
        tokenizer.encode(bytes: bytes, addSpecialTokens: false, parseSpecial: parseSpecial)
    }
}
