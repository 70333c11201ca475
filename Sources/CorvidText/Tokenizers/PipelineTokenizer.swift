/// A tokenizer of the kind that Hugging Face `tokenizers`, SentencePiece and llama.cpp have in common.
///
/// Text goes through these steps: added tokens are cut out, the rest is normalised, added tokens that
/// are looked for in normalised text are cut out, the rest is cut into parts by the pre-tokeniser, and a
/// part becomes pieces of the vocabulary: by byte-pair encoding, WordPiece or Unigram. In the end the
/// tokens that the model expects go around it.
///
/// With byte-level byte-pair encoding every string of bytes has an encoding when the vocabulary has all 256
/// bytes, also one that is no valid UTF-8: without normalisation `decodeBytes(encode(bytes:))` gives it back.
///
/// For files of Hugging Face `tokenizers` the ids are those of that library, for SentencePiece models those of
/// SentencePiece, for GGUF those of llama.cpp. One difference is on purpose: an added token of a byte-level
/// vocabulary decodes to its content, whatever characters it has.
public final class PipelineTokenizer: Tokenizer {
    /// All that makes up a tokenizer; the readers of the file formats fill it in.
    struct Parts: Sendable {
        var vocabulary: Vocabulary
        var model: SubwordModel
        var addedTokens: [AddedToken] = []
        var search = AddedTokenSearch.leftmostLongest
        var normalizer = Normalizer()
        var preTokenizer = PreTokenizer(steps: [])
        /// What goes around a text when special tokens are added.
        var postProcessor = PostProcessor()
        var decoder = TokenDecoder(steps: [.bytes])
        /// Tokens that stand for no text.
        var silent: Set<Int32> = []
        var specialTokens = SpecialTokens()
    }

    let parts: Parts
    private let plain: AddedTokenTrie
    private let normalized: AddedTokenTrie
    private let special: Set<Int32>
    /// Added tokens whose content differs from the bytes that their spelling would stand for.
    private let contents: [Int32: [UInt8]]

    init(_ parts: Parts) {
        self.parts = parts
        special = Set(parts.addedTokens.lazy.filter(\.isSpecial).map(\.id))
        plain = AddedTokenTrie(parts.addedTokens.filter { !$0.isNormalized })
        normalized = AddedTokenTrie(
            parts.addedTokens.filter(\.isNormalized).map { token in
                guard let content = parts.normalizer.apply(token.content, 0..<token.content.count) else {
                    return token
                }
                var token = token
                token.content = content
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
        let first = parts.postProcessor.firstToken
        return first != nil && first == parts.specialTokens.beginningOfSequence
    }

    /// Whether each of the 256 bytes is a piece, so that nothing is lost in any text.
    public var coversAllBytes: Bool {
        let ids = parts.model.byteIDs
        return !ids.isEmpty && ids.allSatisfy { $0 >= 0 }
    }

    /// The same tokenizer with other tokens in the special roles, as a model's configuration may say.
    public func settingSpecialTokens(_ specialTokens: SpecialTokens) -> PipelineTokenizer {
        var parts = parts
        parts.specialTokens = specialTokens
        return PipelineTokenizer(parts)
    }

    public func isSpecial(_ id: Int32) -> Bool { special.contains(id) }

    public func piece(of id: Int32) -> String { parts.vocabulary.spelling(of: Int(id)) }

    public func id(of piece: String) -> Int32? {
        let spelling = Array(piece.utf8)
        return parts.vocabulary.id(ofSpelling: spelling, 0..<spelling.count)
    }

    // MARK: Decoding

    public func appendBytes(of id: Int32, after place: inout DecodingPlace, to output: inout [UInt8]) {
        if !contents.isEmpty, let content = contents[id] {
            parts.decoder.append(content[...], &place, to: &output)
        } else if parts.silent.isEmpty || !parts.silent.contains(id) {
            let range = parts.vocabulary.range(of: Int(id))
            if !range.isEmpty { parts.decoder.append(parts.vocabulary.bytes[range], &place, to: &output) }
        }
    }

    public func appendBytes(of id: Int32, to output: inout [UInt8]) {
        var place = DecodingPlace.middle
        appendBytes(of: id, after: &place, to: &output)
    }

    // MARK: Encoding

    public func encode(bytes: [UInt8], addSpecialTokens: Bool, parseSpecial: Bool) -> [Int32] {
        var output: [Int32] = []
        output.reserveCapacity(bytes.count / 4 + 8)
        for item in parts.postProcessor.single {
            switch item {
            case .token(let id, _): if addSpecialTokens { output.append(id) }
            case .first: append(bytes, parseSpecial, to: &output)
            case .second: break
            }
        }
        return output
    }

    public func encode(
        bytes first: [UInt8], pair second: [UInt8], addSpecialTokens: Bool, parseSpecial: Bool
    ) -> TokenPair {
        var result = TokenPair()
        for item in parts.postProcessor.pair {
            switch item {
            case .token(let id, let type):
                if addSpecialTokens { result.ids.append(id) }
                result.extendTypes(with: type)
            case .first(let type):
                append(first, parseSpecial, to: &result.ids)
                result.extendTypes(with: type)
            case .second(let type):
                append(second, parseSpecial, to: &result.ids)
                result.extendTypes(with: type)
            }
        }
        return result
    }

    private func append(_ bytes: [UInt8], _ parseSpecial: Bool, to output: inout [Int32]) {
        var encoder = PartEncoder(parts.model, parts.vocabulary, expecting: bytes.count)
        for segment in parts.search.segments(bytes, 0..<bytes.count, plain, parseSpecial: parseSpecial) {
            switch segment {
            case .token(let id): output.append(id)
            case .text(let range):
                let isFirst = range.lowerBound == 0
                if let changed = parts.normalizer.apply(bytes, range, isFirst: isFirst) {
                    append(changed, 0..<changed.count, isFirst, parseSpecial, &encoder, &output)
                } else {
                    append(bytes, range, isFirst, parseSpecial, &encoder, &output)
                }
            }
        }
    }

    /// Encodes normalised text.
    private func append(
        _ bytes: [UInt8], _ range: Range<Int>, _ isFirst: Bool, _ parseSpecial: Bool,
        _ encoder: inout PartEncoder, _ output: inout [Int32]
    ) {
        for segment in parts.search.segments(bytes, range, normalized, parseSpecial: parseSpecial) {
            switch segment {
            case .token(let id): output.append(id)
            case .text(let text):
                parts.preTokenizer.forEachPart(
                    bytes, text, isFirst: isFirst && text.lowerBound == range.lowerBound
                ) { bytes, part in
                    encoder.encode(bytes, part, into: &output)
                }
            }
        }
    }
}
