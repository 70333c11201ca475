import CorvidTensors

/// Intervals by drawing the items again, with replacement (Efron 1979).
public enum Bootstrap {
    /// The interval that holds the middle `level` of a measure over resampled items.
    ///
    /// - Parameters:
    ///   - count: items, 1 or more.
    ///   - rounds: how often all items are drawn; 1 or more.
    ///   - level: 0 to 1.
    ///   - measure: of some items, given by their indices, of which some occur several times.
    /// - Throws: ``ScoringError`` if there are no items or a value is not finite, or what `measure` throws.
    public static func interval(
        count: Int, rounds: Int = 1_000, level: Double = 0.95, seed: UInt64 = 0,
        of measure: ([Int]) throws -> Double
    ) throws -> ClosedRange<Double> {
        if count < 1 || rounds < 1 { throw ScoringError.noItems }
        let random = CounterRandom(seed: seed)
        var chosen = [Int](repeating: 0, count: count)
        let values = try (0..<rounds).map { round in
            for place in 0..<count {
                let value = random.uniform(step: UInt64(round), index: UInt32(truncatingIfNeeded: place))
                chosen[place] = min(Int(value * Double(count)), count - 1)
            }
            let value = try measure(chosen)
            guard value.isFinite else { throw ScoringError.notFinite }
            return value
        }.sorted()
        let tail = (1 - min(max(level, 0), 1)) / 2
        return quantile(values, tail)...max(quantile(values, tail), quantile(values, 1 - tail))
    }

    /// Between the two values on whose ranks a share falls.
    private static func quantile(_ sorted: [Double], _ share: Double) -> Double {
        let place = share * Double(sorted.count - 1)
        let lower = min(max(Int(place), 0), sorted.count - 1)
        let upper = min(lower + 1, sorted.count - 1)
        return sorted[lower] + (place - Double(lower)) * (sorted[upper] - sorted[lower])
    }
}
