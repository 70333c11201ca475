import CorvidModels

/// Everything that is measured of some steering vectors.
public struct SteeringEvaluation: Sendable {
    /// Texts by how much of them is about the topic.
    public struct Bin: Sendable, Equatable {
        /// Share of topical words: from here on, ...
        public var least: Double
        /// ... below here; 0 for texts without any, nil for no bound.
        public var bound: Double?
        public var texts: Int
        public var perplexityRatio: Double
    }

    /// Answers of the model as it is, with the vectors, and with random ones of the same norms.
    public struct Completions: Sendable {
        public var plain: SteeredCompletions
        public var steered: SteeredCompletions
        public var random: SteeredCompletions?
    }

    /// Least shares of the bins, as in the paper.
    static let shares = [0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1]

    /// The effect on texts in bins of their share of topical words; bins without texts are left out.
    public static func bins(_ effect: TextEffect, texts: [String], topic: TopicWords) -> [Bin] {
        var sums: [Int: (count: Int, effect: TextEffect)] = [:]
        for (entry, index) in zip(effect.texts, effect.indices) where texts.indices.contains(index) {
            let share = topic.share(in: texts[index])
            // Texts without a single word of the topic have a bin of their own.
            let bin = share == 0 ? -1 : (shares.lastIndex { $0 <= share } ?? 0)
            sums[bin, default: (0, TextEffect())].count += 1
            sums[bin, default: (0, TextEffect())].effect.texts.append(entry)
        }
        return sums.sorted { $0.key < $1.key }.map { bin, sum in
            Bin(
                least: bin < 0 ? 0 : shares[bin],
                bound: bin < 0 ? 0 : bin + 1 < shares.count ? shares[bin + 1] : nil, texts: sum.count,
                perplexityRatio: sum.effect.perplexityRatio)
        }
    }

    /// The first tokens of the topic's words, with and without a blank and a capital before them: what the model
    /// would say next if it spoke of the topic.
    public static func aligned(_ topic: TopicWords, _ tokens: (String) -> [Int32]) -> Set<Int32> {
        var found = Set<Int32>()
        for word in topic.words {
            let capital = word.prefix(1).uppercased() + word.dropFirst()
            for spelling in [" " + word, " " + capital] {
                // Pieces of words begin many others as well.
                let ids = tokens(spelling)
                if ids.count == 1 { found.insert(ids[0]) }
            }
        }
        return found
    }

    /// Part of cloze prompts whose target is among the K likeliest next tokens.
    /// - Parameters:
    ///   - prompts: token ids, each with the token of the beginning; shorter ones than a vector are left out.
    ///   - targets: the token that is right.
    /// - Returns: for each K the parts without and with the vectors.
    /// - Throws: what the model throws.
    public static func cloze(
        _ model: Model, prompts: [[Int32]], targets: [Int32], vectors: [SteeringVector], ranks: [Int],
        progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> (prompts: Int, parts: [(rank: Int, base: Double, steered: Double)]) {
        for vector in vectors { try vector.check(model.configuration) }
        let chosen = prompts.indices.filter { index in
            vectors.allSatisfy { !$0.place.isByPosition || $0.count < prompts[index].count }
        }
        var hits = ranks.map { _ in (base: 0, steered: 0) }
        var next = 0
        while next < chosen.count {
            try Task.checkCancellation()
            var part: [Int] = []
            var rows = 0
            while next < chosen.count, part.count < 64,
                rows == 0 || rows + 2 * prompts[chosen[next]].count <= 1_024
            {
                part.append(chosen[next])
                rows += 2 * prompts[chosen[next]].count
                next += 1
            }
            var batch = Batch<KeyValueCache>(rows: [], caches: [])
            var plan = SitePlan()
            for isSteered in [false, true] {
                for index in part {
                    let sequence = batch.caches.count
                    let ids = prompts[index]
                    batch.caches.append(try model.makeCache())
                    if isSteered {
                        plan.changes += try vectors.map {
                            try $0.change(prompt: ids.count, sequence: sequence)
                        }
                    }
                    for (position, id) in ids.enumerated() {
                        batch.rows.append(
                            .init(
                                token: id, sequence: sequence, position: position,
                                wantsLogits: position + 1 == ids.count))
                    }
                }
            }
            let run = try await model.run(plan, batch)
            for (place, index) in part.enumerated() {
                let first = rank(of: targets[index], in: run.output.row(place))
                let second = rank(of: targets[index], in: run.output.row(part.count + place))
                for (k, rank) in ranks.enumerated() {
                    if first < rank { hits[k].base += 1 }
                    if second < rank { hits[k].steered += 1 }
                }
            }
            progress(next, chosen.count)
        }
        let count = Double(max(1, chosen.count))
        return (
            chosen.count,
            zip(ranks, hits).map { ($0, Double($1.base) / count, Double($1.steered) / count) }
        )
    }

    /// How many tokens are likelier.
    private static func rank(of token: Int32, in row: ArraySlice<Float>) -> Int {
        guard token >= 0, Int(token) < row.count else { return .max }
        let value = row[row.startIndex + Int(token)]
        return row.count { $0 > value }
    }
}
