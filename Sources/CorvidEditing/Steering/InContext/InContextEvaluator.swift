import CorvidModels

/// What is compared, and how it is made.
public struct InContextEvaluationSettings: Sendable, Equatable {
    public var division = InContextDivision()
    /// State vectors that are tried, with their settings.
    public var optimizers: [StateOptimizer] = [.init(.none), .init(.inner), .init(.momentum)]
    /// L for all of them; nil: the layer with the best accuracy on the validation pairs, for each.
    public var layer: Int?
    public var settings: [InContextReport.Setting] = [.zeroShot, .fewShot]
    public var comparesTaskVector = true
    /// Demonstrations and dummy queries of a task vector (Hendel et al., 2023).
    public var taskVectorShots = 5
    public var taskVectorDummies = 2
    public var comparesFunctionVector = true
    /// Heads of a function vector, and prompts on which their effects are measured (Todd et al., 2024).
    public var functionVectorHeads = 10
    public var functionVectorPrompts = 10
    /// Groups of ``InContextDivision/shots`` demonstrations that are aggregated; 0: none.
    public var groups = 0

    public init() {}
}

/// Measures how well state vectors stand for demonstrations, beside what they are compared with.
///
///     let evaluator = InContextEvaluator(extractor)
///     let report = try await evaluator.evaluate(data, seeds: [0, 1, 2])
public struct InContextEvaluator: Sendable {
    public let extractor: StateExtractor
    public var settings: InContextEvaluationSettings

    public init(_ extractor: StateExtractor, settings: InContextEvaluationSettings = .init()) {
        self.extractor = extractor
        self.settings = settings
    }

    private var model: Model { extractor.model }

    /// How pairs are divided, with those for the groups and a dummy pair for each.
    public var division: InContextDivision {
        var division = settings.division
        if settings.groups > 0 {
            // Out of range numbers are refused later.
            let needed = min(settings.groups, 10_000) * (min(max(division.shots, 0), 100_000) + 1)
            division.further = max(division.further, needed - division.shots)
        }
        return division
    }

    /// Divides the pairs for each seed, and measures all methods on each division.
    /// - Throws: ``InContextError``, or what the model throws.
    public func evaluate(
        _ data: InContextData, seeds: [UInt64], progress: InContextProgress = { _, _, _ in }
    ) async throws -> InContextReport {
        var report = InContextReport()
        let division = division
        for (index, seed) in seeds.enumerated() {
            let task = try data.task(division, seed: seed)
            try await evaluate(task, seed: seed, of: seeds.count, into: &report) { stage, done, total in
                progress("seed \(index + 1) of \(seeds.count): \(stage)", done, total)
            }
        }
        return report
    }

    private func evaluate(
        _ task: InContextTask, seed: UInt64, of count: Int, into report: inout InContextReport,
        progress: InContextProgress
    ) async throws {
        guard !task.test.isEmpty else { throw InContextError.noTest }
        guard settings.layer != nil || !task.validation.isEmpty else { throw InContextError.noValidation }
        if let layer = settings.layer, !(0..<model.configuration.layers).contains(layer) {
            throw InContextError.layer(layer, layers: model.configuration.layers)
        }
        let shown = Array(task.demonstrations.prefix(settings.division.shots))
        let dummies = task.dummies.map(\.input)
        progress("states", 0, 1)
        let states = try await extractor.states(shown, dummies: dummies)
        report.seeds.append(seed)
        report.tests.append(task.test.count)
        report.spreads.append(states.spread)
        report.warn(try extractor.warnings(shown, dummies: dummies))
        let candidates = try await candidates(states, task, shown, seed: seed, &report, progress)
        for setting in settings.settings {
            let demonstrations = setting == .fewShot ? shown : []
            var chosen: [(InContextReport.Method, InContextCandidate, Int?)] = [(.regular, .nothing, nil)]
            let validation =
                settings.layer == nil && !candidates.isEmpty
                ? try await ScoredQueries(extractor, task.validation, demonstrations: demonstrations) : nil
            for (index, (method, candidate)) in candidates.enumerated() {
                guard let validation else {
                    chosen.append((method, candidate, settings.layer))
                    continue
                }
                progress("\(setting.rawValue) layers", index, candidates.count)
                let scores = try await scores(candidate, on: validation)
                let accuracies = scores.map { Double($0.right) / Double(validation.count) }
                report.add(setting, method, curve: accuracies, of: count)
                chosen.append((method, candidate, Self.best(scores)))
            }
            let scores = try await test(chosen.map { ($1, $2) }, task.test, demonstrations) {
                progress("\(setting.rawValue) test", $0, task.test.count)
            }
            for ((method, _, layer), score) in zip(chosen, scores) {
                let accuracy = Double(score.right) / Double(task.test.count)
                report.add(setting, method, accuracy: accuracy, layer: layer)
            }
        }
        if settings.groups > 0 {
            try await compareGroups(task, seed: seed, into: &report, progress)
        }
    }

    /// The vectors that are compared.
    private func candidates(
        _ states: InContextStates, _ task: InContextTask, _ shown: [InContextPair], seed: UInt64,
        _ report: inout InContextReport, _ progress: InContextProgress
    ) async throws -> [(InContextReport.Method, InContextCandidate)] {
        let builder = extractor.builder
        var candidates: [(InContextReport.Method, InContextCandidate)] = []
        for optimizer in settings.optimizers {
            report.warn(optimizer.warnings(states: states.sequence.count))
            candidates.append((.init(optimizer.method), try await candidate(optimizer.vector(of: states))))
        }
        if settings.comparesTaskVector {
            let dummies = task.dummies.prefix(settings.taskVectorDummies).map(\.input)
            let prompts = try builder.prompts(
                Array(shown.prefix(settings.taskVectorShots)), queries: dummies)
            candidates.append((.taskVector, .task(try await model.taskVector(of: prompts))))
        }
        if settings.comparesFunctionVector {
            candidates.append(
                (
                    .functionVector,
                    .function(try await functionVector(states, task, shown, seed: seed, progress))
                ))
        }
        return candidates
    }

    /// A vector, ready for layers to be tried: the residuals at the arrow of a bare query are those at all arrows.
    private func candidate(_ vector: StateVector) async throws -> InContextCandidate {
        let bare = try extractor.builder.prompt([], query: "")
        return .state(vector, try await ArrowResiduals(vector, prompts: [bare], model))
    }

    private func functionVector(
        _ states: InContextStates, _ task: InContextTask, _ shown: [InContextPair], seed: UInt64,
        _ progress: InContextProgress
    ) async throws -> FunctionVector {
        let builder = extractor.builder
        let means = states.query.lastTokens(1).layers
        let shuffle = PairShuffle(seed: seed, purpose: .labels)
        let known = task.validation.isEmpty ? task.dummies : task.validation
        let prompts = try (0..<max(1, settings.functionVectorPrompts)).map { number -> AnsweredPrompt in
            let outputs = shuffle.shuffled(shown.map(\.output), number: UInt32(truncatingIfNeeded: number))
            let wrong = zip(shown, outputs).map { InContextPair(input: $0.input, output: $1) }
            let asked = known[number % known.count]
            return AnsweredPrompt(
                try builder.prompt(wrong, query: asked.input),
                answer: try builder.answerToken(query: asked.input, answer: asked.output))
        }
        let effects = try await model.indirectEffects(of: means, on: prompts) { progress("heads", $0, $1) }
        return try await model.functionVector(
            means: means, effects: effects, heads: settings.functionVectorHeads)
    }

    // MARK: Layers and tests

    /// What a candidate reaches by layer.
    private func scores(
        _ candidate: InContextCandidate, on queries: ScoredQueries
    ) async throws -> [ScoredQueries.Score] {
        var scores: [ScoredQueries.Score] = []
        for layer in 0..<model.configuration.layers {
            scores.append(try await queries.score(candidate, layer: layer))
        }
        return scores
    }

    /// The first of the best layers.
    private static func best(_ scores: [ScoredQueries.Score]) -> Int {
        scores.indices.dropFirst().reduce(0) { scores[$1].isBetter(than: scores[$0]) ? $1 : $0 }
    }

    /// The layer L with which a vector does best on the validation pairs without demonstrations, and the accuracy
    /// with each.
    /// - Throws: ``InContextError``, or what the model throws.
    public func bestLayer(
        for vector: StateVector, _ validation: [InContextPair]
    ) async throws -> (layer: Int, accuracies: [Double]) {
        guard !validation.isEmpty else { throw InContextError.noValidation }
        let queries = try await ScoredQueries(extractor, validation, demonstrations: [])
        let scores = try await scores(candidate(vector), on: queries)
        return (Self.best(scores), scores.map { Double($0.right) / Double(validation.count) })
    }

    /// Part after part, so that memory does not grow with the number of pairs.
    private func test(
        _ candidates: [(InContextCandidate, Int?)], _ pairs: [InContextPair],
        _ demonstrations: [InContextPair],
        changes: [SiteChange] = [], progress: (Int) -> Void
    ) async throws -> [ScoredQueries.Score] {
        var totals = [ScoredQueries.Score](repeating: .init(), count: candidates.count)
        let longest = try extractor.builder.prompt(demonstrations, query: "").tokens.count + 32
        let capacity = PromptBatch.capacity(model, tokens: longest)
        for start in stride(from: 0, to: pairs.count, by: capacity) {
            progress(start)
            let part = Array(pairs[start..<min(pairs.count, start + capacity)])
            let queries = try await ScoredQueries(
                extractor, part, demonstrations: demonstrations, changes: changes)
            for (index, (candidate, layer)) in candidates.enumerated() {
                totals[index] = totals[index] + (try await queries.score(candidate, layer: layer ?? 0))
            }
        }
        return totals
    }

    // MARK: Groups

    /// One vector of many demonstrations.
    public struct Aggregate: Sendable {
        public let result: StateAggregator.Result
        public let groups: [DemonstrationGroup]
        /// L: that of the settings, or the one that suits the first group's own vector.
        public let layer: Int
    }

    /// Divides a task's demonstrations into groups and makes one vector of them.
    /// - Throws: ``InContextError``, or what the model throws.
    public func aggregate(
        _ task: InContextTask, _ method: StateAggregator.Method, seed: UInt64, through layer: Int? = nil,
        progress: InContextProgress = { _, _, _ in }
    ) async throws -> Aggregate {
        let groups = try DemonstrationGroup.divide(
            task.demonstrations, groups: settings.groups, size: settings.division.shots, spare: task.dummies)
        var chosen = layer ?? settings.layer
        if chosen == nil {
            let single = try await extractor.states(
                groups[0].demonstrations, dummies: [groups[0].dummy.input])
            chosen = try await bestLayer(for: single.query, task.validation).layer
        }
        let result = try await StateAggregator(extractor, seed: seed).aggregate(
            groups, method, dummies: task.dummies.map(\.input), through: chosen ?? 0, progress: progress)
        return Aggregate(result: result, groups: groups, layer: chosen ?? 0)
    }

    private func compareGroups(
        _ task: InContextTask, seed: UInt64, into report: inout InContextReport, _ progress: InContextProgress
    ) async throws {
        var layer: Int?
        for (method, name) in [
            (StateAggregator.Method.average, InContextReport.Method.average),
            (.divideAndConquer, .divideAndConquer),
        ] {
            let made = try await aggregate(task, method, seed: seed, through: layer, progress: progress)
            layer = made.layer
            let candidate = try await candidate(made.result.vector)
            var ways: [(InContextReport.Setting, InContextCandidate, [InContextPair], [SiteChange])] = [
                (.zeroShot, candidate, [], [])
            ]
            if method == .divideAndConquer {
                // The groups' vectors at the arrows of their pairs, and nothing at the query's.
                let pairs = made.groups.map(\.dummy)
                let prompt = try extractor.builder.prompt(pairs, query: "")
                let changes = try StateAggregator.changes(prompt, made.result.groups, through: made.layer)
                ways.append((.fewShot, .nothing, pairs, changes))
            }
            for (setting, candidate, shown, changes) in ways where settings.settings.contains(setting) {
                let score = try await test([(candidate, made.layer)], task.test, shown, changes: changes) {
                    progress(name.rawValue, $0, task.test.count)
                }
                let accuracy = Double(score[0].right) / Double(task.test.count)
                report.add(setting, name, accuracy: accuracy, layer: made.layer)
            }
        }
    }
}
