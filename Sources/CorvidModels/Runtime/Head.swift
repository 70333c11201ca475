import CorvidTensors

/// What a pass is to give for each row that wants an output.
public enum ModelOutput: String, Sendable, CaseIterable {
    /// A logit for each token of the vocabulary.
    case logits
    /// The states of the last layer, after the final norm.
    case states
    /// f(W state + b), which some encoders make of a sequence's first state; f is mostly tanh.
    case pooled
    /// A score for each label.
    case labels
}

/// What is made of a stack's states.
struct Head: Sendable {
    private let configuration: ModelConfiguration
    /// Path for messages.
    private let file: String
    private var transform: Linear?
    private var norm: Norm?
    private var vocabulary: Linear?
    private var pooler: Linear?
    private var classifier: Linear?

    /// Reads what the model's output needs, and a pooler if there is one.
    init(_ loader: WeightLoader, embedding: Embedding) throws {
        let c = loader.configuration
        configuration = c
        file = loader.file
        let width = c.embeddingWidth
        let hasVocabulary = c.output == .vocabulary
        let isTransformed = hasVocabulary && loader.declares(.headTransform)
        transform = isTransformed ? try loader.linear(.headTransform, outputs: width, inputs: width) : nil
        norm = isTransformed ? try loader.norm(.headNorm, width: width) : nil
        if !hasVocabulary {
            vocabulary = nil
        } else if c.tiedHead ?? !loader.has(.head) {
            vocabulary = try loader.tiedHead(embedding.table)
        } else {
            vocabulary = try loader.linear(.head, outputs: c.vocabulary, inputs: width)
        }
        let isLabelled = c.output.isLabels
        let isPooled = loader.has(.pooler) || isLabelled && loader.declares(.pooler)
        pooler = isPooled ? try loader.linear(.pooler, outputs: width, inputs: width) : nil
        classifier =
            isLabelled ? try loader.linear(.classifier, outputs: c.labels.count, inputs: width) : nil
    }

    /// Lays what belongs to the output over its weights.
    mutating func lay(_ layings: inout Layings) throws {
        try layings.lay(over: &transform, .headTransform)
        try layings.lay(over: &norm, .headNorm)
        try layings.lay(over: &vocabulary, .head)
        try layings.lay(over: &pooler, .pooler)
        try layings.lay(over: &classifier, .classifier)
    }

    /// The matrices that a row of states is multiplied with.
    func linears(_ output: Family.Output) -> [Linear] {
        let all: [Linear?]
        switch output {
        case .vocabulary: all = [transform, vocabulary]
        case .states: all = []
        case .labelsAtFirst, .labelsAtLast: all = [pooler, classifier]
        }
        return all.compactMap { $0 }
    }

    /// - Throws: ``OutputError`` if the model was not made to give `output`.
    func check(_ output: ModelOutput) throws {
        let has: Bool
        switch output {
        case .logits: has = vocabulary != nil
        case .states: has = true
        case .pooled: has = pooler != nil
        case .labels: has = classifier != nil
        }
        guard has else { throw OutputError.missing(output, file: file) }
    }

    /// What `output` asks for, of states `[rows, width]`, in memory of the arena.
    /// - Parameter rows: the rows of the pass whose states these are.
    func apply(_ output: ModelOutput, to states: Matrix, _ run: PassRun, rows: [Int]) throws -> Matrix {
        let (workers, arena) = (run.workers, run.arena)
        switch output {
        case .states: return states
        case .logits:
            guard let vocabulary else { throw OutputError.missing(output, file: file) }
            let logits = try logits(states, vocabulary, workers: workers, arena: arena)
            try run.visit(.logits, nil, logits, rows: rows)
            return logits
        case .pooled:
            guard let pooler else { throw OutputError.missing(output, file: file) }
            guard states.rows > 0 else { return states }
            return try pooler.product(
                states, then: configuration.poolerActivation, workers: workers, arena: arena)
        case .labels:
            guard let classifier else { throw OutputError.missing(output, file: file) }
            guard states.rows > 0 else { return try arena.matrix(rows: 0, columns: classifier.outputs) }
            var x = states
            if let pooler {
                x = try pooler.product(
                    x, then: configuration.poolerActivation, workers: workers, arena: arena)
            }
            return try classifier.product(x, workers: workers, arena: arena)
        }
    }

    private func logits(
        _ states: Matrix, _ vocabulary: Linear, workers: Workers, arena: Arena
    ) throws -> Matrix {
        let logits = try arena.matrix(rows: states.rows, columns: vocabulary.outputs)
        guard states.rows > 0 else { return logits }
        var x = states
        if let transform {
            let f = configuration.headActivation ?? configuration.activation
            x = try transform.product(x, then: f, workers: workers, arena: arena)
        }
        norm?(x, into: x, workers: workers)
        let scale = configuration.logitScale
        let input = try ProductInput(x, for: [vocabulary], workers: workers, arena: arena)
        try Linear.multiply(input, by: [vocabulary], into: [logits], workers: workers) { _, range in
            if scale != 1 { Elementwise.scale(logits, by: scale, columns: range) }
        }
        return logits
    }
}

/// An output that a model was not made for.
public enum OutputError: Error, Equatable, CustomStringConvertible {
    case missing(ModelOutput, file: String)

    public var description: String {
        switch self {
        case .missing(let output, let file):
            let what =
                switch output {
                case .logits: "no logits over a vocabulary; it can neither continue nor score text"
                case .states: "no states"
                case .pooled: "no pooled vector; use the states of its tokens"
                case .labels: "no scores for labels; it is no classifier"
                }
            return "\(file): the model gives \(what)."
        }
    }
}
