/// The special tokens that the files next to a tokenizer name.
struct SpecialTokenNames {
    static let keys = [
        "bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token",
    ]

    private let sources: [JSON]

    /// - Parameter defaults: an object with what counts where the files name nothing.
    init(configuration: JSON?, specialTokensMap: JSON?, defaults: JSON? = nil) {
        sources = [configuration, specialTokensMap, defaults].compactMap { $0 }
    }

    /// The spelling under a key such as `bos_token`: a string, or an object with its content.
    func name(_ key: String) -> String? {
        for source in sources {
            if let name = source[key]?.string ?? source[key]?["content"]?.string { return name }
        }
        return nil
    }

    /// The object that describes the token under a key, where the files have one.
    func description(_ key: String) -> JSON? {
        sources.lazy.compactMap { $0[key] }.first { $0.object != nil }
    }

    /// The roles as ids. Where no file names the end, `<|endoftext|>` is taken when it is an added token,
    /// and where none names the beginning, the token that is put before a text.
    func resolve(in parts: PipelineTokenizer.Parts) -> SpecialTokens {
        func id(_ name: String?) -> Int32? {
            guard let name else { return nil }
            let spelling = Array(name.utf8)
            return parts.vocabulary.id(ofSpelling: spelling, 0..<spelling.count)
        }
        let added = Set(parts.addedTokens.map(\.id))
        let endOfText = id("<|endoftext|>").flatMap { added.contains($0) ? $0 : nil }
        let ends = SpecialTokens.knownEnds.compactMap { id($0) }.filter(added.contains)
        let hasNames = name("bos_token") != nil || name("eos_token") != nil
        return SpecialTokens(
            beginningOfSequence: id(name("bos_token")) ?? parts.postProcessor.firstToken
                ?? (hasNames ? nil : endOfText),
            endOfSequence: id(name("eos_token")) ?? endOfText,
            unknown: id(name("unk_token")) ?? parts.model.unknown, padding: id(name("pad_token")),
            endOfGeneration: Set(ends))
    }
}
