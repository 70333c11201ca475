/// How much work and memory a template may use. A template comes with a model from strangers, so each bound
/// holds whatever the text says.
public enum TemplateLimits {
    /// Length of a template's source in bytes of UTF-8.
    public static let sourceBytes = 1 << 20
    /// Steps of one rendering: an expression or statement evaluated, an element handled,
    /// or 64 bytes of text made or searched.
    public static let steps = 1_000_000
    /// Length in bytes of UTF-8 of the output, and of any text made on the way.
    public static let outputBytes = 1 << 20
    /// Nesting of statements and expressions in the source, of values in values, and of macro calls.
    public static let depth = 64
    /// Elements of one `range`.
    public static let rangeElements = 4_096
    /// Nesting of all evaluations together (macros times the nesting within each).
    static let evaluationDepth = 512
    /// Bytes of text which cost one step.
    static let bytesPerStep = 64

    /// Which limit was reached.
    public enum Kind: Equatable, Sendable, CustomStringConvertible {
        case source, steps, output, depth, range

        public var description: String {
            switch self {
            case .source: "\(TemplateLimits.sourceBytes) bytes of source"
            case .steps: "\(TemplateLimits.steps) steps"
            case .output: "\(TemplateLimits.outputBytes) bytes of text"
            case .depth: "\(TemplateLimits.depth) levels of nesting"
            case .range: "\(TemplateLimits.rangeElements) elements in a range"
            }
        }
    }
}
