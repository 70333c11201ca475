/// Why a template could not be read or rendered, and on which line of it.
public enum TemplateError: Error, Equatable, Sendable {
    /// The text is not a template: a tag is malformed, unknown or not closed.
    case syntax(line: Int, problem: String)
    /// A tag, filter, test, function or method of Jinja which this interpreter does not have.
    case unsupported(line: Int, construct: String)
    /// Something undefined was used for more than printing or testing it.
    case undefined(line: Int, what: String)
    /// Reaching into an object's interior or changing a given value, neither of which a template may do.
    case refused(line: Int, operation: String)
    /// An operation on values of the wrong type, size or number.
    case invalid(line: Int, problem: String)
    /// The template itself called `raise_exception`; the words are the template's.
    case raised(line: Int, message: String)
    /// One of `TemplateLimits` was reached.
    case limit(line: Int, limit: TemplateLimits.Kind)

    /// The line of the template, counted from 1; 0 when the context was at fault.
    public var line: Int {
        switch self {
        case .syntax(let line, _), .unsupported(let line, _), .undefined(let line, _), .refused(let line, _),
            .invalid(let line, _), .raised(let line, _), .limit(let line, _):
            line
        }
    }
}

extension TemplateError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .syntax(let line, let problem):
            "chat template, line \(line): \(problem). Repair the template or give another one."
        case .unsupported(let line, let construct):
            "chat template, line \(line): \(construct) is not supported. Use a template without it."
        case .undefined(let line, let what):
            "chat template, line \(line): \(what). Pass a value for it or guard it with 'is defined'."
        case .refused(let line, let operation):
            "chat template, line \(line): \(operation) is refused. Do not trust this template."
        case .invalid(let line, let problem):
            "chat template, line \(line): \(problem)."
        case .raised(let line, let message):
            "chat template, line \(line), refuses this conversation: \(message)"
        case .limit(let line, let limit):
            "chat template, line \(line): more than \(limit.description). Shorten the template or its input."
        }
    }
}
