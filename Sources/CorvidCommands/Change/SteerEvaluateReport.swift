import CorvidEditing
import CorvidModels
import CorvidText

/// What steering vectors do.
struct SteerEvaluateReport: Report {
    /// Texts of one kind.
    struct Group: Sendable {
        /// A token that became likelier or less likely.
        struct Shift: Sendable {
            var token: String
            var id: Int32
            var count: Int
            /// Mean difference in log-probability.
            var mean: Double
        }

        var name: String
        var effect: TextEffect
        var bins: [SteeringEvaluation.Bin]
        /// The largest gain first.
        var shifts: [Shift]
    }

    /// Answers of the model as it is, steered, and steered by chance.
    struct Answers: Sendable {
        var name: String
        var completions: SteeredCompletions
        var share: Double?
        var words: Double?
        var sentiment: Double?
    }

    /// How often the right token is among the likeliest.
    struct Cloze: Sendable {
        var prompts: Int
        var parts: [(rank: Int, base: Double, steered: Double)]
    }

    let model: String
    let source: SteeringSource
    let vectors: [SteeringVector]
    let seed: UInt64
    var groups: [Group] = []
    var answers: [Answers] = []
    var cloze: Cloze?

    private static let shiftsShown = 10

    var json: JSON {
        var object: JSONObject = [
            "model": .string(model), "name": .string(source.name), "method": .string(source.method),
            "vectors": .array(
                vectors.map {
                    [
                        "site": .string("\($0.site)"), "place": .string($0.place.rawValue),
                        "coefficient": .number(Double($0.coefficient)), "norm": .number($0.meanNorm),
                    ]
                }), "seed": .seed(seed),
        ]
        for group in groups { object[group.name] = json(group) }
        if let topical = ratio("topical"), let unrelated = ratio("unrelated") {
            object["selectivity"] = .number(topical / unrelated)
        }
        for answer in answers { object[answer.name] = Self.json(answer) }
        if let cloze {
            object["cloze"] = [
                "prompts": .count(cloze.prompts),
                "precision": .array(
                    cloze.parts.map {
                        ["k": .count($0.rank), "plain": .number($0.base), "steered": .number($0.steered)]
                    }),
            ]
        }
        return .object(object)
    }

    private func ratio(_ name: String) -> Double? {
        groups.first { $0.name == name }?.effect.perplexityRatio
    }

    private func json(_ group: Group) -> JSON {
        let effect = group.effect
        var object: JSONObject = [
            "texts": .count(effect.texts.count), "tokens": .count(effect.tokens),
            "perplexity_plain": .number(effect.perplexities.base),
            "perplexity_steered": .number(effect.perplexities.steered),
            "perplexity_ratio": .number(effect.perplexityRatio), "drift": .number(effect.meanDivergence),
        ]
        if let aligned = effect.aligned {
            object["effectiveness"] = .number(aligned.effectiveness)
            object["disruption"] = .number(aligned.disruption)
        }
        if !group.bins.isEmpty {
            object["bins"] = .array(
                group.bins.map { bin in
                    [
                        "least_share": .number(bin.least), "bound": bin.bound.map { .number($0) } ?? .null,
                        "texts": .count(bin.texts), "perplexity_ratio": .number(bin.perplexityRatio),
                    ]
                })
        }
        object["shifts"] = .array(
            group.shifts.map {
                [
                    "token": .string($0.token), "id": .integer(Int64($0.id)), "count": .count($0.count),
                    "mean": .number($0.mean),
                ]
            })
        return .object(object)
    }

    private static func json(_ answers: Answers) -> JSON {
        var object: JSONObject = ["answers": .count(answers.completions.texts.count)]
        if let share = answers.share { object["share"] = .number(share) }
        if let words = answers.words { object["words"] = .number(words) }
        if let sentiment = answers.sentiment { object["sentiment"] = .number(sentiment) }
        object["repetition"] = .number(answers.completions.repetition)
        object["texts"] = .array(answers.completions.texts.map { .string($0) })
        return .object(object)
    }

    var lines: String {
        var parts: [String] = []
        if !groups.isEmpty { parts.append(textTable) }
        for group in groups where !group.shifts.isEmpty { parts.append(shiftTable(group)) }
        for group in groups where group.bins.count > 1 { parts.append(binTable(group)) }
        if !answers.isEmpty { parts.append(answerTable) }
        if let cloze { parts.append(clozeTable(cloze)) }
        return parts.joined(separator: "\n\n")
    }

    private var textTable: String {
        let hasTopic = groups.contains { $0.effect.aligned != nil }
        var table = TextTable(.left, .right, .right, .right, .right, .right, .right, .right, .right)
        table.add(
            ["texts", "number", "tokens", "plain", "steered", "ratio", "drift"]
                + (hasTopic ? ["effectiveness", "disruption"] : []))
        for group in groups {
            let effect = group.effect
            var cells = [
                group.name, Figures.grouped(effect.texts.count), Figures.grouped(effect.tokens),
                Figures.rate(effect.perplexities.base), Figures.rate(effect.perplexities.steered),
                Figures.cosine(effect.perplexityRatio), Figures.cosine(effect.meanDivergence),
            ]
            if let aligned = effect.aligned {
                cells += [Figures.cosine(aligned.effectiveness), Figures.cosine(aligned.disruption)]
            }
            table.add(cells)
        }
        return table.lines
    }

    private func shiftTable(_ group: Group) -> String {
        var table = TextTable(.left, .right, .right, .left, .right, .right)
        table.add("likelier (\(group.name))", "seen", "by", "less likely", "seen", "by")
        let up = group.shifts.prefix(Self.shiftsShown)
        let down = group.shifts.suffix(Self.shiftsShown).reversed()
        for (gain, loss) in zip(up, down) {
            table.add(
                gain.token.debugDescription, "\(gain.count)", Figures.cosine(gain.mean),
                loss.token.debugDescription, "\(loss.count)", Figures.cosine(loss.mean))
        }
        return table.lines
    }

    private func binTable(_ group: Group) -> String {
        var table = TextTable(.left, .right, .right)
        table.add("words of the topic (\(group.name))", "texts", "ratio")
        for bin in group.bins {
            let range =
                bin.bound == 0
                ? "none"
                : bin.bound.map { "\(Figures.percent(bin.least)) to \(Figures.percent($0))" }
                    ?? "\(Figures.percent(bin.least)) and more"
            table.add(range, "\(bin.texts)", Figures.cosine(bin.perplexityRatio))
        }
        return table.lines
    }

    private var answerTable: String {
        var table = TextTable(.left, .right, .right, .right, .right, .right)
        table.add("answers", "number", "on topic", "words", "sentiment", "repeated")
        for answer in answers {
            table.add(
                answer.name, "\(answer.completions.texts.count)", answer.share.map(Figures.percent) ?? "-",
                answer.words.map(Figures.rate) ?? "-", answer.sentiment.map(Figures.cosine) ?? "-",
                Figures.percent(answer.completions.repetition))
        }
        return table.lines
    }

    private func clozeTable(_ cloze: Cloze) -> String {
        var table = TextTable(.left, .right, .right)
        table.add("cloze, \(Figures.count(cloze.prompts, "prompt"))", "plain", "steered")
        for part in cloze.parts {
            table.add("among \(part.rank)", Figures.percent(part.base), Figures.percent(part.steered))
        }
        return table.lines
    }
}
