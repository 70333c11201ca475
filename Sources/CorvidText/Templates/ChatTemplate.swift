/// How a model wants a conversation written as one text.
///
///     let template = try ChatTemplate(source: source, beginningOfSequence: "<s>", endOfSequence: "</s>")
///     let prompt = try template.render(messages: [ChatMessage(role: "user", content: "Hello")])
public struct ChatTemplate: Sendable {
    private enum Form: Sendable {
        case template(Template)
        case plain
    }

    private let form: Form
    /// The text of the template; nil for `plain`.
    public let source: String?
    /// The token texts a template may use as `bos_token` and `eos_token`; empty where the model has none.
    public let beginningOfSequence, endOfSequence: String

    /// A template that came with a model.
    /// - Throws: `TemplateError` when it cannot be read; no other template takes its place.
    public init(
        source: String, beginningOfSequence: String = "", endOfSequence: String = ""
    ) throws(TemplateError) {
        form = .template(try Template(source))
        self.source = source
        self.beginningOfSequence = beginningOfSequence
        self.endOfSequence = endOfSequence
    }

    /// `User: ...` and `Assistant: ...` on lines of their own, for base models such as GPT-2 and GPT-J which
    /// were trained on no dialogue format. Never used unless asked for.
    ///
    /// A system message stands first, followed by an empty line; other roles are written as they are named.
    public static let plain = ChatTemplate(plain: ())

    private init(plain: ()) {
        form = .plain
        source = nil
        beginningOfSequence = ""
        endOfSequence = ""
    }

    /// The prompt for a conversation.
    /// - Parameters:
    ///   - addGenerationPrompt: whether the assistant's next turn is opened at the end.
    ///   - extra: further variables; they take the place of those set here (`messages`, `bos_token`,
    ///     `eos_token`, `add_generation_prompt`; `tools` and `documents`, which are none).
    ///   - clock: what `strftime_now` shows.
    /// - Throws: `TemplateError.raised` when the template refuses the conversation.
    public func render(
        messages: [ChatMessage], addGenerationPrompt: Bool = true, extra: JSONObject = [:],
        clock: TemplateClock = .system
    ) throws(TemplateError) -> String {
        var turns: [JSON] = []
        for message in messages {
            turns.append(["role": .string(message.role), "content": .string(message.content)])
        }
        return try render(turns: turns, addGenerationPrompt: addGenerationPrompt, extra: extra, clock: clock)
    }

    /// As `render(messages:)`, with turns that hold more than a role and a content, such as `tool_calls`.
    public func render(
        turns: [JSON], addGenerationPrompt: Bool = true, extra: JSONObject = [:],
        clock: TemplateClock = .system
    ) throws(TemplateError) -> String {
        switch form {
        case .plain: return Self.plainText(turns, addGenerationPrompt)
        case .template(let template):
            var context: JSONObject = [
                "messages": .array(turns),
                "tools": .null,
                "documents": .null,
                "add_generation_prompt": .bool(addGenerationPrompt),
                "bos_token": .string(beginningOfSequence),
                "eos_token": .string(endOfSequence),
            ]
            for (name, value) in extra {
                context[name] = value
            }
            return try template.render(context, clock: clock)
        }
    }

    private static func plainText(_ turns: [JSON], _ addGenerationPrompt: Bool) -> String {
        var text = ""
        for turn in turns {
            let role = turn["role"]?.string ?? "user"
            let content = turn["content"]?.string ?? ""
            text +=
                role == "system"
                ? "\(content)\n\n" : "\(role.prefix(1).uppercased())\(role.dropFirst()): \(content)\n"
        }
        return addGenerationPrompt ? text + "Assistant:" : text
    }
}

extension ChatTemplate {
    /// The template in a value of the key `chat_template`: a text, or a list of `{name, template}` of which
    /// the one with the given name is taken. Nil when there is none.
    public static func source(in value: JSON?, named name: String = "default") -> String? {
        switch value {
        case .string(let source)?: return source
        case .array(let templates)?:
            return templates.first { $0["name"]?.string == name }?["template"]?.string
        default: return nil
        }
    }
}
