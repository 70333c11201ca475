/// The pre-tokenisers that `tokenizer.ggml.pre` can name.
enum GGUFPreTokenizers {
    struct Style: Sendable {
        var steps: [PreTokenizer.Step]
        var ignoresMerges = false
        var addsBeginningOfSequence = false
    }

    private static let gpt2 = Style(steps: [.gpt2])
    private static let digitsFirst = Style(steps: [.eachNumber, .gpt2])
    private static let llama3 = Style(
        steps: [.llama3(digits: 3, foldsLongS: false)], ignoresMerges: true, addsBeginningOfSequence: true)
    private static let llama3Merging = Style(steps: [.llama3(digits: 3, foldsLongS: false)])
    private static let qwen2 = Style(steps: [.llama3(digits: 1, foldsLongS: false)])
    private static let fallback = Style(steps: [.punctuationRuns, .gpt2, .numberRuns, .digitTriples])

    private static let styles: [String: Style] = [
        "default": fallback,
        "gpt-2": gpt2, "phi-2": gpt2, "roberta-bpe": gpt2, "mpt": gpt2, "olmo": gpt2, "jais": gpt2,
        "smollm": digitsFirst, "starcoder": digitsFirst, "refact": digitsFirst, "command-r": digitsFirst,
        "codeshell": digitsFirst,
        "llama3": llama3, "llama-v3": llama3, "llama-bpe": llama3,
        "dbrx": llama3Merging, "smaug-bpe": llama3Merging,
        "qwen2": qwen2, "stablelm2": qwen2,
    ]

    /// The names that are written, one for each style.
    private static let writtenNames = ["gpt-2", "smollm", "llama-bpe", "dbrx", "qwen2", "default"]

    /// What `tokenizer.ggml.pre` calls these steps; nil if it has no name for them. Whether a long s is folded
    /// does not count: llama.cpp's converter takes both forms for one.
    static func name(steps: [PreTokenizer.Step], ignoresMerges: Bool) -> String? {
        let plain = steps.map { step -> PreTokenizer.Step in
            switch step {
            case .llama3(let digits, _): .llama3(digits: digits, foldsLongS: false)
            case .split(at: .number, .isolated, inverted: false): .eachNumber
            case let other: other
            }
        }
        return writtenNames.first { name in
            guard let style = styles[name] else { return false }
            return style.steps == plain && style.ignoresMerges == ignoresMerges
        }
    }

    static func style(_ name: String?, file: String) throws(TokenizerError) -> Style {
        guard let name else { return gpt2 }
        if let style = styles[name] { return style }
        throw .unsupported(
            field: "tokenizer.ggml.pre", found: "\"\(name.prefix(80))\"",
            supported: styles.keys.sorted().joined(separator: ", "), file: file)
    }
}
