/// Cuts text into the parts that are tokenised on their own.
///
/// The regular expressions of tokenizer files are not interpreted: each known one is a scanner written
/// by hand that finds the same parts. Steps follow each other, each cutting the parts of the one before.
struct PreTokenizer: Sendable {
    enum Step: Sendable, Equatable {
        /// The regular expression of GPT-2.
        case gpt2
        /// The regular expression of LLaMA-3, with up to so many digits in a part (Qwen 2: one). The
        /// long s (U+017F) counts as an s when letter case is folded as Unicode does.
        case llama3(digits: Int, foldsLongS: Bool)
        /// Each `\p{N}` for itself.
        case eachNumber
        /// Each run of `\p{N}`.
        case numberRuns
        /// Each run of punctuation and of `$+<=>^~|`.
        case punctuationRuns
        /// Each three ASCII digits.
        case digitTriples
        /// A blank goes before a part that does not begin with one.
        case prefixSpace
        /// Words between blanks, which are left out.
        case words
        /// `\w+|[^\w\s]+`: words and runs of other characters, without the blanks between them.
        case wordsAndSymbols
        /// Words between blanks and punctuation, which is a part character by character.
        case bert
        /// U+0020 becomes a mark, which begins a part when `splits`, and goes before a text that does not
        /// begin with it.
        case metaspace(mark: [UInt8], prefix: MetaspacePrefix, splits: Bool)
        /// A part begins at each mark that follows something else: what this cuts no piece spans.
        case markedWords(mark: [UInt8])
        /// Separators that are treated in one of several ways.
        case split(at: Separator, SplitBehavior, inverted: Bool)
    }

    /// Where a mark goes before a text that does not begin with one.
    enum MetaspacePrefix: Sendable, Equatable {
        /// Before each text between added tokens.
        case always
        /// At the very beginning.
        case first
        case never
    }

    var steps: [Step]

    /// Calls `body` with each part of `bytes[range]`, in order, and with the array it lies in.
    /// - Parameter isFirst: whether the range begins where the whole text does.
    func forEachPart(
        _ bytes: [UInt8], _ range: Range<Int>, isFirst: Bool = true,
        _ body: (_ bytes: [UInt8], _ part: Range<Int>) -> Void
    ) {
        cut(bytes, range, step: 0, isFirst, ScalarClasses.shared, body)
    }

    private func cut(
        _ bytes: [UInt8], _ range: Range<Int>, step: Int, _ isFirst: Bool, _ classes: ScalarClasses,
        _ body: ([UInt8], Range<Int>) -> Void
    ) {
        if range.isEmpty { return }
        guard step < steps.count else { return body(bytes, range) }
        switch steps[step] {
        case .prefixSpace:
            if bytes[range.lowerBound] == UInt8(ascii: " ") {
                return cut(bytes, range, step: step + 1, isFirst, classes, body)
            }
            let prefixed = [UInt8(ascii: " ")] + bytes[range]
            cut(prefixed, 0..<prefixed.count, step: step + 1, isFirst, classes, body)
        case .metaspace(let mark, let prefix, let splits):
            let adds = prefix == .always || prefix == .first && isFirst
            let marked = Metaspace.mark(bytes, range, with: mark, prefixing: adds)
            if !splits { return cut(marked, 0..<marked.count, step: step + 1, isFirst, classes, body) }
            forEach(in: marked, 0..<marked.count, step: step, isFirst, classes, body) { start in
                (Metaspace.partEnd(marked, start, marked.count, mark), true)
            }
        case .markedWords(let mark):
            forEach(in: bytes, range, step: step, isFirst, classes, body) { start in
                (Metaspace.wordEnd(bytes, start, range.upperBound, mark), true)
            }
        case .split(let separator, let behavior, let inverted):
            for part in behavior.parts(of: bytes, range, at: separator, inverted: inverted, classes) {
                cut(
                    bytes, part, step: step + 1, isFirst && part.lowerBound == range.lowerBound, classes, body
                )
            }
        case let simple:
            let scanner = PatternScanner(bytes: bytes, end: range.upperBound, classes: classes)
            forEach(in: bytes, range, step: step, isFirst, classes, body) { start in
                Self.partEnd(simple, scanner, start)
            }
        }
    }

    /// Cuts `bytes[range]` at the ends that `partEnd` answers, and gives on the parts which it keeps.
    @inline(__always)
    private func forEach(
        in bytes: [UInt8], _ range: Range<Int>, step: Int, _ isFirst: Bool, _ classes: ScalarClasses,
        _ body: ([UInt8], Range<Int>) -> Void, _ partEnd: (_ start: Int) -> (end: Int, isKept: Bool)
    ) {
        let isLast = step + 1 == steps.count
        var start = range.lowerBound
        while start < range.upperBound {
            let (end, isKept) = partEnd(start)
            if isKept {
                if isLast {
                    body(bytes, start..<end)
                } else {
                    cut(
                        bytes, start..<end, step: step + 1, isFirst && start == range.lowerBound, classes,
                        body)
                }
            }
            start = end
        }
    }

    /// Where the part that begins at `start` ends, always after `start`, and whether it is kept.
    @inline(__always)
    private static func partEnd(_ step: Step, _ scanner: PatternScanner, _ start: Int) -> (Int, Bool) {
        switch step {
        case .gpt2: return (scanner.gpt2(start), true)
        case .llama3(let digits, let foldsLongS):
            return (scanner.llama3(start, digits: digits, foldsLongS: foldsLongS), true)
        case .eachNumber: return (scanner.isolated(start, longest: 1) { $0.isNumber }, true)
        case .numberRuns: return (scanner.isolated(start, longest: .max) { $0.isNumber }, true)
        case .punctuationRuns: return (scanner.punctuation(start), true)
        case .digitTriples: return (scanner.digitTriple(start), true)
        case .words: return scanner.word(start)
        case .wordsAndSymbols: return scanner.wordOrSymbols(start)
        case .bert: return scanner.bert(start)
        case .prefixSpace, .metaspace, .markedWords, .split: return (scanner.end, true)
        }
    }
}
