/// A byte-level BPE tokenizer as the keys `tokenizer.ggml.*` of a GGUF file spell it.
public struct GGUFTokenizerFields: Sendable {
    /// `tokenizer.ggml.model`
    public let model = "gpt2"
    /// `tokenizer.ggml.pre`
    public let pre: String
    /// `tokenizer.ggml.tokens`
    public let tokens: [String]
    /// `tokenizer.ggml.token_type`: 1 normal, 3 control, 4 user-defined, 5 unused.
    public let tokenTypes: [Int32]
    /// `tokenizer.ggml.merges`
    public let merges: [String]
    /// Ids of the tokens with a role.
    public let specialTokens: SpecialTokens
    public let addsBeginningOfSequence: Bool
    public let addsEndOfSequence: Bool
}

extension PipelineTokenizer {
    /// The tokenizer as GGUF has it, as llama.cpp's converter writes it.
    /// - Parameter rows: rows of the model's embedding. Rows without a token get unused ones.
    /// - Throws: ``TokenizerError/unsupported(field:found:supported:file:)`` for what GGUF cannot say.
    public func ggufFields(rows: Int, file: String) throws(TokenizerError) -> GGUFTokenizerFields {
        guard case .bytePairs(let model) = parts.model else {
            throw .unsupported(
                field: "the tokenizer", found: "of another kind", supported: "byte-level BPE", file: file)
        }
        guard parts.normalizer.steps.isEmpty else {
            throw .unsupported(
                field: "the normaliser", found: "one that changes text",
                supported: "none, for GGUF cannot name one", file: file)
        }
        let steps = parts.preTokenizer.steps
        guard let pre = GGUFPreTokenizers.name(steps: steps, ignoresMerges: model.ignoresMerges) else {
            throw .unsupported(
                field: "the pre-tokeniser", found: "one that GGUF has no name for",
                supported: "those of GPT-2, SmolLM2, LLaMA-3 and Qwen 2", file: file)
        }
        let (prefix, suffix) = parts.postProcessor.around
        for token in parts.addedTokens where token.singleWord || token.stripsLeft || token.stripsRight {
            let text = String(decoding: token.content, as: UTF8.self)
            throw .unsupported(
                field: "added token \"\(text.prefix(80))\"", found: "one that looks at its neighbours",
                supported: "plain ones, for GGUF cannot say more", file: file)
        }
        let beginning = parts.specialTokens.beginningOfSequence
        let end = parts.specialTokens.endOfSequence
        let goesBefore = prefix.isEmpty || prefix == [beginning].compactMap { $0 }
        let goesBehind = suffix.isEmpty || suffix == [end].compactMap { $0 }
        guard goesBefore, goesBehind else {
            throw .unsupported(
                field: "the post-processor", found: "other tokens around a text",
                supported: "the beginning and the end of a sequence, for GGUF cannot say more", file: file)
        }
        var types = [Int32](repeating: 1, count: max(rows, vocabularySize))
        for token in parts.addedTokens where types.indices.contains(Int(token.id)) {
            types[Int(token.id)] = token.isSpecial ? 3 : 4
        }
        let tokens = types.indices.map { id in
            let isThere = parts.vocabulary.form(of: id) != .absent
            if !isThere || parts.silent.contains(Int32(id)) { types[id] = 5 }
            guard isThere else { return "[PAD\(id)]" }
            // Added tokens are written as they are looked for.
            let added = types[id] == 3 || types[id] == 4
            return added ? String(decoding: bytes(of: Int32(id)), as: UTF8.self) : piece(of: Int32(id))
        }
        return GGUFTokenizerFields(
            pre: pre, tokens: tokens, tokenTypes: types,
            merges: model.merges.pairs.map { piece(of: $0.left) + " " + piece(of: $0.right) },
            specialTokens: parts.specialTokens, addsBeginningOfSequence: !prefix.isEmpty,
            addsEndOfSequence: !suffix.isEmpty)
    }
}
