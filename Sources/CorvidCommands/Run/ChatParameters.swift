import CorvidModels

/// The settings that can be changed during a talk, by name.
struct ChatParameters: Sendable, Equatable {
    var settings: ConversationSettings
    var showsTimings: Bool

    /// One row of the table of parameters.
    private struct Parameter: Sendable {
        let name: String
        let meaning: String
        let read: @Sendable (ChatParameters) -> String
        /// False if the value cannot be read.
        let write: @Sendable (inout ChatParameters, String) -> Bool
    }

    private static let all: [Parameter] = [
        number(
            "temperature", "divides the logits; 0 takes the likeliest token", \.settings.sampling.temperature),
        whole("top-k", "keeps the likeliest tokens; 0 keeps all", \.settings.sampling.topK),
        number("top-p", "keeps the likeliest tokens with this probability", \.settings.sampling.topP),
        number(
            "min-p", "keeps tokens with this part of the likeliest one's probability",
            \.settings.sampling.minP),
        number(
            "repetition-penalty", "makes what occurred less likely", \.settings.sampling.repetitionPenalty),
        number("frequency-penalty", "the same, for each time", \.settings.sampling.frequencyPenalty),
        number("presence-penalty", "the same, once", \.settings.sampling.presencePenalty),
        Parameter(
            name: "seed", meaning: "the same seed gives the same answers",
            read: { "\($0.settings.sampling.seed)" },
            write: { parameters, text in
                guard let seed = UInt64(text) else { return false }
                parameters.settings.sampling.seed = seed
                return true
            }),
        Parameter(
            name: "max-tokens", meaning: "most tokens of an answer, or none",
            read: { $0.settings.maxTokens.map { "\($0)" } ?? "none" },
            write: { parameters, text in
                let limit = Int(text)
                guard text == "none" || (limit ?? 0) > 0 else { return false }
                parameters.settings.maxTokens = limit
                return true
            }),
        Parameter(
            name: "timings", meaning: "show the speed after each answer: on or off",
            read: { $0.showsTimings ? "on" : "off" },
            write: { parameters, text in
                guard text == "on" || text == "off" else { return false }
                parameters.showsTimings = text == "on"
                return true
            }),
    ]

    /// All parameters with their values.
    var table: String {
        var table = TextTable(.left, .right, .left)
        for parameter in Self.all { table.add(parameter.name, parameter.read(self), parameter.meaning) }
        return table.lines
    }

    /// The value of one parameter; nil if there is none of that name.
    func value(of name: String) -> String? { Self.parameter(name)?.read(self) }

    /// Changes one parameter.
    /// - Parameter size: how many tokens the tokenizer has.
    /// - Returns: what is wrong; nil if it was changed.
    mutating func set(_ name: String, to text: String, size: Int) -> String? {
        guard let parameter = Self.parameter(name) else { return Self.unknown(name) }
        var changed = self
        guard parameter.write(&changed, text) else { return "\(parameter.name) cannot be '\(text)'" }
        do {
            try changed.settings.sampling.validate(size: size)
        } catch {
            return "\(error)"
        }
        self = changed
        return nil
    }

    static func unknown(_ name: String) -> String { "no parameter '\(name)'; /params lists them" }

    private static func parameter(_ name: String) -> Parameter? {
        let wanted = name.lowercased().replacing("_", with: "-")
        return all.first { $0.name == wanted }
    }

    private static func number(
        _ name: String, _ meaning: String, _ path: WritableKeyPath<ChatParameters, Double> & Sendable
    ) -> Parameter {
        Parameter(
            name: name, meaning: meaning, read: { "\($0[keyPath: path])" },
            write: { parameters, text in
                guard let value = Double(text), value.isFinite else { return false }
                parameters[keyPath: path] = value
                return true
            })
    }

    private static func whole(
        _ name: String, _ meaning: String, _ path: WritableKeyPath<ChatParameters, Int> & Sendable
    ) -> Parameter {
        Parameter(
            name: name, meaning: meaning, read: { "\($0[keyPath: path])" },
            write: { parameters, text in
                guard let value = Int(text) else { return false }
                parameters[keyPath: path] = value
                return true
            })
    }
}
