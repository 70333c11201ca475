import CorvidTensors

/// Puts things into a random order that depends on a seed, a purpose and a number alone.
struct PairShuffle {
    /// Each has random numbers of its own.
    enum Purpose: UInt32 {
        case division = 101
        case group
        case labels
    }

    let random: CounterRandom
    let purpose: Purpose

    init(seed: UInt64, purpose: Purpose) {
        random = CounterRandom(seed: seed)
        self.purpose = purpose
    }

    /// Fisher and Yates.
    func shuffled<Element>(_ elements: [Element], number: UInt32 = 0) -> [Element] {
        var result = elements
        for place in result.indices.dropLast() {
            let left = result.count - place
            let draw = random.uniform(stream: purpose.rawValue, step: UInt64(place), index: number)
            result.swapAt(place, place + min(Int(draw * Double(left)), left - 1))
        }
        return result
    }
}
