/// Byte-pair encoding over bytes, as GPT-2, GPT-J, GPT-NeoX, LLaMA-3 and SmolLM2 use it.
///
/// Text goes through these steps: added tokens are cut out, the rest is normalised, added tokens that
/// are looked for in normalised text are cut out, the rest is cut into parts by the pre-tokeniser, and
/// within a part pairs are merged in the order in which they were learned. Every string of bytes has an
/// encoding when the vocabulary has all 256 bytes, also one that is no valid UTF-8: without
/// normalisation `decodeBytes(encode(bytes:))` gives it back.
///
/// For files of Hugging Face `tokenizers` the ids are those of that library, for GGUF those of llama.cpp.
/// One difference is on purpose: an added token decodes to its content, whatever characters it has.
public final class ByteLevelBPE: Tokenizer {
    /// All that makes up a tokenizer; the readers of the file formats fill it in.
    struct Parts: Sendable {
        var vocabulary: Vocabulary
        var merges: Merges
        var addedTokens: [AddedToken] = []
        var search = AddedTokenSearch.leftmostLongest
        var normalizesToFormC = false
        var preTokenizer: PreTokenizer
        /// A part that is a piece as a whole is taken as it is (LLaMA-3).
        var ignoresMerges = false
        /// What stands for a byte that the vocabulary lacks; without it such bytes are left out.
        var unknown: Int32?
        var fusesUnknown = false
        /// What goes around a text when special tokens are added.
        var prefix: [Int32] = []
        var suffix: [Int32] = []
        /// Tokens that stand for no text.
        var silent: Set<Int32> = []
        var specialTokens = SpecialTokens()
    }

    let parts: Parts
    private let byteIDs: [Int32]  // the id of each byte, or -1
    private let plain: AddedTokenTrie
    private let normalized: AddedTokenTrie
    private let special: Set<Int32>
    /// Added tokens whose content differs from the bytes that their spelling would stand for.
    private let contents: [Int32: [UInt8]]

    init(_ parts: Parts) {
        self.parts = parts
        byteIDs = (0..<256).map { parts.vocabulary.id(of: [UInt8($0)], 0..<1, .bytes) ?? -1 }
        special = Set(parts.addedTokens.lazy.filter(\.isSpecial).map(\.id))
        plain = AddedTokenTrie(parts.addedTokens.filter { !$0.isNormalized })
        normalized = AddedTokenTrie(
            parts.addedTokens.filter(\.isNormalized).map { token in
                guard parts.normalizesToFormC,
                    let composed = Composition.shared.compose(token.content, 0..<token.content.count)
                else { return token }
                var token = token
                token.content = composed
                return token
            })
        contents = Dictionary(
            parts.addedTokens.lazy.filter { token in
                let range = parts.vocabulary.range(of: Int(token.id))
                return !parts.vocabulary.bytes[range].elementsEqual(token.content)
            }.map { ($0.id, $0.content) }, uniquingKeysWith: { $1 })
    }

    // MARK: What it consists of

    public var vocabularySize: Int { parts.vocabulary.idBound }
    public var specialTokens: SpecialTokens { parts.specialTokens }

    public var addsBeginningOfSequence: Bool {
        parts.prefix.first != nil && parts.prefix.first == parts.specialTokens.beginningOfSequence
    }

    /// Whether each of the 256 bytes is a piece, so that nothing is lost in any text.
    public var coversAllBytes: Bool { byteIDs.allSatisfy { $0 >= 0 } }

    /// The same tokenizer with other tokens in the special roles, as a model's configuration may say.
    public func settingSpecialTokens(_ specialTokens: SpecialTokens) -> ByteLevelBPE {
        var parts = parts
        parts.specialTokens = specialTokens
        return ByteLevelBPE(parts)
    }

    public func isSpecial(_ id: Int32) -> Bool { special.contains(id) }

    public func piece(of id: Int32) -> String { parts.vocabulary.spelling(of: Int(id)) }

    public func id(of piece: String) -> Int32? {
        let spelling = Array(piece.utf8)
        return parts.vocabulary.id(ofSpelling: spelling, 0..<spelling.count)
    }

    // MARK: Decoding

    public func appendBytes(of id: Int32, to output: inout [UInt8]) {
        if !contents.isEmpty, let content = contents[id] {
            output.append(contentsOf: content)
        } else if parts.silent.isEmpty || !parts.silent.contains(id) {
            output.append(contentsOf: parts.vocabulary.bytes[parts.vocabulary.range(of: Int(id))])
        }
    }

    // MARK: Encoding

    public func encode(bytes: [UInt8], addSpecialTokens: Bool, parseSpecial: Bool) -> [Int32] {
        var output = addSpecialTokens ? parts.prefix : []
        output.reserveCapacity(bytes.count / 4 + 8)
        var encoder = PartEncoder(expecting: bytes.count)
        for segment in parts.search.segments(bytes, 0..<bytes.count, plain, parseSpecial: parseSpecial) {
            switch segment {
            case .token(let id): output.append(id)
            case .text(let range):
                if parts.normalizesToFormC, let composed = Composition.shared.compose(bytes, range) {
                    encode(composed, 0..<composed.count, parseSpecial, &encoder, &output)
                } else {
                    encode(bytes, range, parseSpecial, &encoder, &output)
                }
            }
        }
        if addSpecialTokens { output.append(contentsOf: parts.suffix) }
        return output
    }

    /// Encodes normalised text.
    private func encode(
        _ bytes: [UInt8], _ range: Range<Int>, _ parseSpecial: Bool, _ encoder: inout PartEncoder,
        _ output: inout [Int32]
    ) {
        for segment in parts.search.segments(bytes, range, normalized, parseSpecial: parseSpecial) {
            switch segment {
            case .token(let id): output.append(id)
            case .text(let range):
                parts.preTokenizer.forEachPart(bytes, range) { bytes, part in
                    encoder.encode(bytes, part, parts, byteIDs, into: &output)
                }
            }
        }
    }
}
