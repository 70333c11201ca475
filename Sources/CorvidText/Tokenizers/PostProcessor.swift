/// The tokens that go around one text or two, and the type of each token.
struct PostProcessor: Sendable {
    enum Item: Sendable, Equatable {
        case token(Int32, type: Int32)
        case first(type: Int32)
        case second(type: Int32)
    }

    var single: [Item] = [.first(type: 0)]
    var pair: [Item] = [.first(type: 0), .second(type: 1)]

    /// A single text between these tokens; of two texts the second follows in the same way.
    init(prefix: [Int32] = [], suffix: [Int32] = []) {
        guard !prefix.isEmpty || !suffix.isEmpty else { return }
        func tokens(_ ids: [Int32], _ type: Int32) -> [Item] { ids.map { .token($0, type: type) } }
        single = tokens(prefix, 0) + [.first(type: 0)] + tokens(suffix, 0)
        pair = single + tokens(prefix, 1) + [.second(type: 1)] + tokens(suffix, 1)
    }

    init(single: [Item], pair: [Item]) {
        self.single = single
        self.pair = pair
    }

    /// BERT: [CLS] A [SEP] B [SEP], where what belongs to B has type 1.
    static func bert(cls: Int32, sep: Int32) -> PostProcessor {
        let single: [Item] = [.token(cls, type: 0), .first(type: 0), .token(sep, type: 0)]
        return PostProcessor(single: single, pair: single + [.second(type: 1), .token(sep, type: 1)])
    }

    /// RoBERTa: <s> A </s></s> B </s>, all of type 0.
    static func roberta(cls: Int32, sep: Int32) -> PostProcessor {
        let single: [Item] = [.token(cls, type: 0), .first(type: 0), .token(sep, type: 0)]
        return PostProcessor(
            single: single, pair: single + [.token(sep, type: 0), .second(type: 0), .token(sep, type: 0)])
    }

    /// The token that a single text begins with.
    var firstToken: Int32? {
        if case .token(let id, _) = single.first { id } else { nil }
    }

    /// The tokens before and behind a single text.
    var around: (prefix: [Int32], suffix: [Int32]) {
        func ids(_ items: some Sequence<Item>) -> [Int32] {
            items.compactMap { if case .token(let id, _) = $0 { id } else { nil } }
        }
        guard let text = single.firstIndex(where: { if case .first = $0 { true } else { false } }) else {
            return (ids(single), [])
        }
        return (ids(single[..<text]), ids(single[text...]))
    }

    /// All tokens that may be added.
    var tokens: [Int32] {
        (single + pair).compactMap { if case .token(let id, _) = $0 { id } else { nil } }
    }
}
