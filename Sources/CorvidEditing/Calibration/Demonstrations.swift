import CorvidTensors

/// Examples that a prompt shows.
public enum Demonstrations {
    /// Draws examples at random without regard to their classes, none twice, in the order in which they are
    /// drawn. The same seed draws the same ones, and the first of more.
    ///
    /// - Throws: ``CalibrationError`` if there are too few, one has no label, or all have the same one.
    public static func draw(
        _ count: Int, from pool: [TaskExample], card: TaskCard, seed: UInt64
    ) throws -> [TaskExample] {
        if count < 0 {
            throw CalibrationError.outOfRange(field: "shots", found: "\(count)", allowed: "0 or more")
        }
        if count == 0 { return [] }
        if count > pool.count { throw CalibrationError.fewExamples(asked: count, pool: pool.count) }
        if let index = pool.firstIndex(where: { $0.label == nil }) {
            throw CalibrationError.exampleWithoutLabel(index: index)
        }
        if let only = pool[0].label, pool.allSatisfy({ $0.label == only }) {
            throw CalibrationError.oneClass(card.classNames[only], examples: pool.count)
        }
        return sample(count, of: pool.count, seed: seed, stream: .demonstrations).map { pool[$0] }
    }

    /// Examples of a frozen part of a set, in their order.
    /// - Parameter count: at most this many; all if there are no more.
    public static func part(_ count: Int, of examples: [TaskExample], seed: UInt64) -> [TaskExample] {
        if count >= examples.count { return examples }
        return sample(count, of: examples.count, seed: seed, stream: .part).sorted().map { examples[$0] }
    }

    /// Which texts are shown as examples, too: a model that has seen their label proves nothing with them.
    /// - Returns: indices into `texts`.
    public static func shown(among texts: [TaskText], _ demonstrations: [TaskExample]) -> [Int] {
        let seen = Set(demonstrations.map(\.text))
        return texts.indices.filter { seen.contains(texts[$0]) }
    }

    /// The first `count` steps of a Fisher-Yates shuffle.
    private static func sample(_ count: Int, of total: Int, seed: UInt64, stream: RandomStream) -> [Int] {
        let random = CounterRandom(seed: seed)
        var places = Array(0..<total)
        for step in 0..<max(0, min(count, total)) {
            let left = total - step
            places.swapAt(step, step + random.index(below: left, stream: stream, step: UInt64(step)))
        }
        return Array(places.prefix(max(0, count)))
    }
}

/// What random numbers are drawn for; each has its own, so that none depends on how many the others take.
enum RandomStream: UInt32 {
    case demonstrations = 1
    case part
    case domain
    case english
    case sentence
}

extension CounterRandom {
    /// A uniform number of 0..<bound.
    func index(below bound: Int, stream: RandomStream, step: UInt64, index: UInt32 = 0) -> Int {
        let value = uniform(stream: stream.rawValue, step: step, index: index) * Double(bound)
        return min(Int(value), bound - 1)
    }
}
