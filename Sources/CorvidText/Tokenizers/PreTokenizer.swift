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
    }

    var steps: [Step]

    /// Calls `body` with each part of `bytes[range]`, in order, and with the array it lies in.
    func forEachPart(
        _ bytes: [UInt8], _ range: Range<Int>, _ body: (_ bytes: [UInt8], _ part: Range<Int>) -> Void
    ) {
        cut(bytes, range, step: 0, ScalarClasses.shared, body)
    }

    private func cut(
        _ bytes: [UInt8], _ range: Range<Int>, step: Int, _ classes: ScalarClasses,
        _ body: ([UInt8], Range<Int>) -> Void
    ) {
        if range.isEmpty { return }
        guard step < steps.count else { return body(bytes, range) }
        let isLast = step + 1 == steps.count
        if steps[step] == .prefixSpace {
            if bytes[range.lowerBound] == UInt8(ascii: " ") {
                return cut(bytes, range, step: step + 1, classes, body)
            }
            let prefixed = [UInt8(ascii: " ")] + bytes[range]
            return cut(prefixed, 0..<prefixed.count, step: step + 1, classes, body)
        }
        var start = range.lowerBound
        while start < range.upperBound {
            let end = partEnd(steps[step], bytes, start, range.upperBound, classes)
            if isLast {
                body(bytes, start..<end)
            } else {
                cut(bytes, start..<end, step: step + 1, classes, body)
            }
            start = end
        }
    }

    /// Where the part that begins at `start` ends; always after `start`.
    @inline(__always)
    private func partEnd(
        _ step: Step, _ bytes: [UInt8], _ start: Int, _ end: Int, _ classes: ScalarClasses
    ) -> Int {
        let scanner = PatternScanner(bytes: bytes, end: end, classes: classes)
        switch step {
        case .gpt2: return scanner.gpt2(start)
        case .llama3(let digits, let foldsLongS):
            return scanner.llama3(start, digits: digits, foldsLongS: foldsLongS)
        case .eachNumber: return scanner.isolated(start, longest: 1) { $0.isNumber }
        case .numberRuns: return scanner.isolated(start, longest: .max) { $0.isNumber }
        case .punctuationRuns: return scanner.punctuation(start)
        case .digitTriples: return scanner.digitTriple(start)
        case .prefixSpace: return end
        }
    }
}
