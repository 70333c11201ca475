/// A template in the language of chat templates: Jinja, as transformers sets it up.
///
/// Statements: `for` (with `else` and `if`), `if`, `set`, `macro`, `call`, `filter`, `with`, `break`,
/// `continue`, `generation`, `raw`, comments. Blocks are trimmed (`trim_blocks`, `lstrip_blocks`).
/// Values have Python's semantics, except that whole numbers have 64 bits, that `safe` changes nothing, and
/// that a generator is made in one go. Anything else is a `TemplateError` which names it. A template sees the
/// values it is given and nothing more, and works within `TemplateLimits`.
///
///     let template = try Template("{% for m in messages %}{{ m.role | upper }}{% endfor %}")
///     let prompt = try template.render(["messages": [["role": "user"]]])
public struct Template: Sendable {
    private let statements: [Statement]

    /// Reads a template.
    /// - Throws: `TemplateError.syntax`, `.unsupported` or `.limit`, with the line.
    public init(_ source: String) throws(TemplateError) {
        statements = try Parser.statements(of: source)
    }

    /// The text the template makes of `context`, its variables.
    /// - Parameter clock: what `strftime_now` shows.
    public func render(_ context: JSONObject, clock: TemplateClock = .system) throws(TemplateError) -> String
    {
        let evaluator = try Evaluator(context: context, clock: clock)
        return try evaluator.render(statements)
    }
}
