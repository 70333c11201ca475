/// Token sequences of which none begins another, as a tree: a model runs once what several begin with.
public struct ContinuationTree: Sendable, Equatable {
    /// The sequences as they were given.
    public let continuations: [[Int32]]
    /// Node 0 is the prompt itself.
    private(set) var nodes: [Node] = [Node(token: 0, depth: 0)]
    /// What is run after the prompt, in an order in which each branch leaves the path of those before it.
    let branches: [Branch]

    struct Node: Sendable, Equatable {
        let token: Int32
        /// Tokens from the prompt to this one, itself among them.
        let depth: Int
        var children: [Int] = []
        /// The continuation that ends here.
        var continuation: Int?
    }

    /// Nodes below one another whose logits are needed.
    struct Branch: Sendable, Equatable {
        /// Tokens after the prompt which lie before the branch.
        let depth: Int
        let nodes: [Int]
    }

    /// - Parameter continuations: token ids of each, at least one.
    /// - Throws: ``ContinuationError`` if there is none, one is empty, or one begins with another.
    public init(_ continuations: [[Int32]]) throws {
        if continuations.isEmpty { throw ContinuationError.noContinuations }
        self.continuations = continuations
        for (index, tokens) in continuations.enumerated() {
            if tokens.isEmpty { throw ContinuationError.empty(index: index) }
            try Self.add(tokens, index, to: &nodes)
        }
        branches = Self.branches(nodes)
    }

    private static func add(_ tokens: [Int32], _ index: Int, to nodes: inout [Node]) throws {
        var place = 0
        for token in tokens {
            if let shorter = nodes[place].continuation {
                throw ContinuationError.begins(shorter: shorter, longer: index)
            }
            if let next = nodes[place].children.first(where: { nodes[$0].token == token }) {
                place = next
            } else {
                nodes.append(Node(token: token, depth: nodes[place].depth + 1))
                nodes[place].children.append(nodes.count - 1)
                place = nodes.count - 1
            }
        }
        if let same = nodes[place].continuation {
            throw ContinuationError.begins(shorter: same, longer: index)
        }
        if var below = nodes[place].children.first {
            while let next = nodes[below].children.first { below = next }
            throw ContinuationError.begins(shorter: index, longer: nodes[below].continuation ?? index)
        }
        nodes[place].continuation = index
    }

    /// Depth first; a branch follows the first inner child, and the other ones leave it later, the deepest first.
    private static func branches(_ nodes: [Node]) -> [Branch] {
        func inner(_ node: Int) -> [Int] { nodes[node].children.filter { !nodes[$0].children.isEmpty } }
        var result: [Branch] = []
        var waiting = Array(inner(0).reversed())
        while let start = waiting.popLast() {
            var path = [start]
            while let last = path.last, let next = inner(last).first { path.append(next) }
            result.append(Branch(depth: nodes[start].depth - 1, nodes: path))
            for node in path { waiting += inner(node).dropFirst().reversed() }
        }
        return result
    }

    /// Tokens beyond the prompt that a pass may run.
    var depth: Int { branches.map { $0.depth + $0.nodes.count }.max() ?? 0 }
}

/// Why continuations cannot be scored.
public enum ContinuationError: Error, Equatable, Sendable, CustomStringConvertible {
    case noContinuations
    /// A continuation without tokens.
    case empty(index: Int)
    /// The tokens of one continuation are equal to those of another or begin with them, so that their
    /// probabilities are not those of different things.
    case begins(shorter: Int, longer: Int)
    /// A prompt without tokens has no place where something could continue.
    case emptyPrompt(index: Int)
    /// A prompt, with what has to be run of a continuation, does not fit.
    case tooLong(prompt: Int, tokens: Int, contextLength: Int)

    public var description: String {
        switch self {
        case .noContinuations: "there are no continuations to score; give at least one"
        case .empty(let index): "continuation \(index) has no tokens; give it some text"
        case .begins(let shorter, let longer):
            "the tokens of continuation \(longer) begin with those of continuation \(shorter), so one cannot be "
                + "told from the other; choose other words"
        case .emptyPrompt(let index):
            "prompt \(index) has no tokens, and the tokenizer puts none at the beginning; give it some text"
        case .tooLong(let prompt, let tokens, let length):
            "prompt \(prompt) needs \(tokens) tokens, the context holds \(length); use fewer or shorter examples, "
                + "or raise --context"
        }
    }
}
