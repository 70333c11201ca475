/// An example of a task: what is asked, and what is to be answered.
public struct InContextPair: Sendable, Equatable, Hashable {
    public var input: String
    public var output: String
    /// Answers among which the model chooses by their first tokens; none: among all tokens.
    public var choices: [String]

    public init(input: String, output: String, choices: [String] = []) {
        self.input = input
        self.output = output
        self.choices = choices
    }
}

/// The pairs of a task by what they are for; none serves for two purposes, except that inputs of `validation` stand
/// in as dummy queries.
public struct InContextTask: Sendable, Equatable {
    /// What prompts show, in their order.
    public var demonstrations: [InContextPair]
    /// Queries without an answer, at whose arrow the state of a prompt is read.
    public var dummies: [InContextPair]
    /// What layers are chosen by.
    public var validation: [InContextPair]
    /// What accuracies are measured on.
    public var test: [InContextPair]

    public init(
        demonstrations: [InContextPair], dummies: [InContextPair], validation: [InContextPair] = [],
        test: [InContextPair] = []
    ) {
        self.demonstrations = demonstrations
        self.dummies = dummies
        self.validation = validation
        self.test = test
    }
}

/// The content of a task file.
public enum InContextData: Sendable, Equatable {
    /// Pairs that are to be divided.
    case list([InContextPair])
    /// As the file divides them.
    case divided(InContextTask)
}

/// How many pairs serve for what.
public struct InContextDivision: Sendable, Equatable {
    /// Demonstrations of a prompt (10 in the paper).
    public var shots = 10
    /// Demonstrations beyond those, for aggregation over groups.
    public var further = 0
    /// Dummy queries over which states are averaged: their noise is greater than that of the demonstrations.
    public var dummies = 5
    public var validation = 15
    /// At most so many pairs are tested; nil: all that are left.
    public var test: Int?

    public init(
        shots: Int = 10, further: Int = 0, dummies: Int = 5, validation: Int = 15, test: Int? = nil
    ) {
        self.shots = shots
        self.further = further
        self.dummies = dummies
        self.validation = validation
        self.test = test
    }
}

extension InContextData {
    /// All pairs of the file.
    public var count: Int {
        switch self {
        case .list(let pairs): pairs.count
        case .divided(let task):
            task.demonstrations.count + task.dummies.count + task.validation.count + task.test.count
        }
    }

    /// Divides the pairs. A list is shuffled: the same seed gives the same division. A file that divides its pairs
    /// itself keeps its order, whatever the seed.
    /// - Throws: ``InContextError/pairs(needed:found:)``, ``InContextError/outOfRange(field:found:allowed:)``.
    public func task(_ division: InContextDivision, seed: UInt64) throws -> InContextTask {
        try division.validate()
        switch self {
        case .list(let pairs):
            let shown = division.shots + division.further
            let validation = max(division.validation, division.dummies)
            guard pairs.count > shown + validation else {
                throw InContextError.pairs(needed: shown + validation + 1, found: pairs.count)
            }
            let shuffled = PairShuffle(seed: seed, purpose: .division).shuffled(pairs)
            let rest = shuffled[shown...]
            return InContextTask(
                demonstrations: Array(shuffled[..<shown]), dummies: Array(rest.prefix(division.dummies)),
                validation: Array(rest.prefix(validation)),
                test: Array(rest.dropFirst(validation).prefix(division.test ?? .max)))
        case .divided(var task):
            guard !task.demonstrations.isEmpty else { throw InContextError.noDemonstrations }
            let needed = division.shots + division.further
            if division.further > 0, task.demonstrations.count < needed {
                throw InContextError.pairs(needed: needed, found: task.demonstrations.count)
            }
            task.demonstrations = Array(task.demonstrations.prefix(needed))
            let others = task.validation.filter { !task.dummies.contains($0) }
            task.dummies = Array((task.dummies + others).prefix(division.dummies))
            if task.dummies.isEmpty { task.dummies = Array(task.test.prefix(1)) }
            guard !task.dummies.isEmpty else { throw InContextError.noDummies }
            task.validation = Array(task.validation.prefix(max(1, division.validation)))
            task.test = Array(task.test.prefix(division.test ?? .max))
            return task
        }
    }
}

extension InContextDivision {
    func validate() throws {
        try InContextError.check("shots", shots, 1...100_000)
        try InContextError.check("dummies", dummies, 1...10_000)
        try InContextError.check("validation", validation, 1...1_000_000)
        try InContextError.check("further demonstrations", further, 0...1_000_000)
        if let test { try InContextError.check("test", test, 1...Int.max) }
    }
}
