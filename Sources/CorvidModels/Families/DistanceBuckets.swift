#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How distances between key and query fall into buckets, each of which has a bias (Raffel et al., 2020): the
/// small ones have one each, larger ones share it in logarithmic steps, and from a limit on all have the last.
public struct DistanceBuckets: Sendable, Equatable {
    /// Buckets, both directions together.
    public let count: Int
    /// The distance from which on all fall into one bucket.
    public let limit: Int

    /// nil unless each direction has at least two buckets and the limit lies beyond the small distances.
    public init?(count: Int, limit: Int) {
        guard count >= 4, limit > count / 2 else { return nil }
        self.count = count
        self.limit = limit
    }

    /// The bucket of `distance` = key - query.
    /// - Parameter sees: whether there are later keys, too, which have the second half of the buckets then.
    public func bucket(of distance: Int, sees: Family.Visibility) -> Int {
        let isBothWays = sees == .wholeSequence
        let count = isBothWays ? count / 2 : count
        let first = isBothWays && distance > 0 ? count : 0
        let far = isBothWays ? abs(distance) : max(0, -distance)
        let small = count / 2
        guard far >= small else { return first + far }
        guard far < limit else { return first + count - 1 }
        // In f32, as the models were trained: at the steps themselves the rounding matters.
        let share = logf(Float(far) / Float(small)) / Float(log(Double(limit) / Double(small)))
        return first + min(count - 1, small + Int(share * Float(count - small)))
    }
}
