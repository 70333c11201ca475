import CorvidKernels

/// The softmax of one layer's attention, between the scores and the weighted values. Valid only while it is
/// shown.
public struct AttentionPattern {
    private struct Place {
        let task: Int
        let query: Int
    }

    private let tasks: [ck_attention]
    private let scratch: [UnsafeMutablePointer<Float>]
    /// By row of the pass and head.
    private var places: [Int: [Int: Place]] = [:]

    /// - Parameters:
    ///   - heads: the heads of each task.
    ///   - rows: the first row of each task.
    init(_ tasks: [ck_attention], heads: [Range<Int>], rows: [Int], scratch: [UnsafeMutablePointer<Float>]) {
        self.tasks = tasks
        self.scratch = scratch
        for (task, value) in tasks.enumerated() {
            for row in 0..<value.rows {
                for (index, head) in heads[task].enumerated() {
                    places[rows[task] + row, default: [:]][head] = Place(
                        task: task, query: row * value.group + index)
                }
            }
        }
    }

    /// How many keys there are up to the last one that some row sees.
    public var keyCount: Int { tasks.map(\.key_count).max() ?? 0 }

    /// What a head takes of each key in `0..<keys`; 0 for those that the row does not see.
    public func weights(row: Int, head: Int, keys: Int) -> [Float] {
        guard let (seen, values, sum) = memory(row: row, head: head) else {
            return [Float](repeating: 0, count: keys)
        }
        var result = [Float](repeating: 0, count: keys)
        for key in seen where key < keys { result[key] = values[key - seen.lowerBound] / sum.pointee }
        return result
    }

    /// Sets what a head takes of each key. Keys that the row does not see stay unseen.
    public func setWeights(row: Int, head: Int, to weights: ArraySlice<Float>) {
        guard let (seen, values, sum) = memory(row: row, head: head) else { return }
        for key in seen where key < weights.count {
            values[key - seen.lowerBound] = weights[weights.startIndex + key]
        }
        sum.pointee = 1
    }

    private func memory(
        row: Int, head: Int
    ) -> (keys: Range<Int>, values: UnsafeMutablePointer<Float>, sum: UnsafeMutablePointer<Float>)? {
        guard let place = places[row]?[head] else { return nil }
        var task = tasks[place.task]
        var (from, to) = (0, 0)
        var sum: UnsafeMutablePointer<Float>?
        let values = ck_attend_weights(&task, place.query, &from, &to, &sum, scratch[place.task])
        guard let values, let sum, from < to else { return nil }
        return (from..<to, values, sum)
    }
}
