/// Why texts cannot be classified by their label words, or label biases not be measured.
public enum CalibrationError: Error, Equatable, Sendable {
    /// Something in a task card is missing or of another kind.
    case card(file: String, key: String, found: String, expected: String)
    case unknownTask(name: String, known: [String])
    case fewLabels(count: Int)
    case emptyLabel(number: Int)
    /// A word that stands for two classes, or twice for one.
    case sharedWord(String, classes: [Int])
    case labelsInContext(found: Int, expected: Int)
    /// A label of which the tokenizer makes nothing, or something else.
    case labelWithoutTokens(String, decoded: String)
    /// The tokens of one label begin with those of another.
    case labelBegins(shorter: String, longer: String, pieces: [String])
    /// A line of a file of examples.
    case example(file: String, line: Int, reason: String)
    case noTexts(file: String)
    case fewExamples(asked: Int, pool: Int)
    /// All examples have the same class.
    case oneClass(String, examples: Int)
    case exampleWithoutLabel(index: Int)
    /// A text of a task with two, or two of a task with one.
    case textCount(index: Int, expected: Int)
    case noWords
    case outOfRange(field: String, found: String, allowed: String)
    /// Texts without content give a class no probability at all, so that nothing can be divided by it.
    case zeroPrior(label: String)
    case noMass(index: Int)
    case tooLong(what: String, tokens: Int, contextLength: Int)
    case saved(file: String, reason: String)
    /// Without calibration there is no prior to keep.
    case nothingToSave
    case severalPriors(names: [String])
}

extension CalibrationError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .card(let file, let key, let found, let expected):
            return "\(file): \(key): found \(found), expected \(expected)"
        case .unknownTask(let name, let known):
            return "there is no task \"\(name)\" and no such file.\nBuilt in are "
                + known.joined(separator: ", ")
        case .fewLabels(let count):
            return "the task has \(count) \(count == 1 ? "class" : "classes"); give the words of at least two"
        case .emptyLabel(let number):
            return "class \(number) has an empty word or none; give it a word"
        case .sharedWord(let word, let classes):
            return classes.first == classes.last
                ? "class \(classes.first ?? 0) has the word \"\(word)\" twice; name it once"
                : "the word \"\(word)\" stands for classes \(classes.map(String.init).joined(separator: " and ")); "
                    + "give each class words of its own"
        case .labelsInContext(let found, let expected):
            return "labels_in_context has \(found) words for \(expected) classes; give one for each"
        case .labelWithoutTokens(let label, let decoded):
            return decoded.isEmpty
                ? "the tokenizer makes no token of the label \"\(label)\" behind the prompt; choose another word"
                : "the tokenizer joins the label \"\(label)\" with the end of the prompt (\"\(decoded)\"), so it has "
                    + "no tokens of its own.\nEnd a_prefix with a blank, or choose another word"
        case .labelBegins(let shorter, let longer, let pieces):
            return "the tokens of \"\(longer)\" (\(pieces.joined(separator: "|"))) begin with those of "
                + "\"\(shorter)\", so the model cannot be asked for one of them; choose other words"
        case .example(let file, let line, let reason):
            return "\(file): line \(line): \(reason)"
        case .noTexts(let file):
            return "\(file): has no texts; expected one on each line"
        case .fewExamples(let asked, let pool):
            return "\(asked) examples are asked for, there are \(pool); lower --shots or give more examples"
        case .oneClass(let label, let examples):
            return "all \(examples) examples have the label \"\(label)\"; give some of another class"
        case .exampleWithoutLabel(let index):
            return "example \(index) has no label; examples that are shown need one"
        case .textCount(let index, let expected):
            return expected == 2
                ? "text \(index) is one text, the task compares two; give text_a and text_b"
                : "text \(index) has two parts, the task takes one; give text"
        case .noWords:
            return "the corpus has no words, so no random text can be made of it; give another --corpus"
        case .outOfRange(let field, let found, let allowed):
            return "\(field) is \(found), allowed: \(allowed)"
        case .zeroPrior(let label):
            return
                "texts without content give \"\(label)\" the probability 0, which nothing can be divided by; "
                + "choose another word for it"
        case .noMass(let index):
            return "text \(index) gives all labels together the probability 0; choose other words"
        case .tooLong(let what, let tokens, let length):
            return "\(what) needs \(tokens) tokens, the context holds \(length).\n"
                + "Use fewer --shots, shorter texts (max_words in the task card), or raise --context"
        case .saved(let file, let reason):
            return "\(file): is no saved calibration: \(reason)"
        case .nothingToSave:
            return "without calibration there is nothing to save; choose --calibrate cc or dc"
        case .severalPriors(let names):
            return "the patches \(names.joined(separator: " and ")) hold a label prior each; "
                + "lay one of them over the model"
        }
    }
}
