import Foundation

/// All ways to cut a word into pieces.
struct UnigramLattice: Sendable {
    let trie: ByteTrie
    let scores: [Double]
    /// Of a code point that is no piece.
    let unknownScore: Double
    private let probabilities: [Double]
    private let unknownProbability: Double

    init(trie: ByteTrie, scores: [Double], unknownScore: Double) {
        self.trie = trie
        self.scores = scores
        self.unknownScore = unknownScore
        probabilities = scores.map { exp($0) }
        unknownProbability = exp(unknownScore)
    }

    struct Scratch {
        fileprivate var edges: [Edge] = []
        fileprivate var forward: [Double] = []
        fileprivate var backward: [Double] = []
        fileprivate var last: [Int32] = []  // index of the edge on the best way to a place

        fileprivate mutating func clear(_ count: Int, to value: Double) {
            forward.removeAll(keepingCapacity: true)
            forward.append(contentsOf: repeatElement(value, count: count))
            backward.removeAll(keepingCapacity: true)
            backward.append(contentsOf: repeatElement(value, count: count))
        }
    }

    fileprivate struct Edge {
        var start: Int32
        var end: Int32
        var id: Int32
    }

    /// Notes all pieces of the word, in the order of their starts.
    private func findEdges(
        _ bytes: [UInt8], _ word: Range<Int>, _ scratch: inout Scratch, without excluded: Int32 = -1
    ) {
        scratch.edges.removeAll(keepingCapacity: true)
        var start = 0
        while start < word.count {
            let place = word.lowerBound + start
            let length = UTF8Sequence.decode(bytes, at: place, end: word.upperBound).length
            var hasSingle = false
            var node = ByteTrie.root
            var end = start
            while end < word.count {
                node = trie.child(node, bytes[word.lowerBound + end])
                if node == ByteTrie.none { break }
                end += 1
                let id = trie.value(node)
                if id < 0 || id == excluded { continue }
                scratch.edges.append(
                    Edge(
                        start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: end), id: id))
                if end - start == length { hasSingle = true }
            }
            if !hasSingle {
                scratch.edges.append(
                    Edge(
                        start: Int32(truncatingIfNeeded: start),
                        end: Int32(truncatingIfNeeded: start + length), id: -1))
            }
            start += length
        }
    }

    private func score(_ edge: Edge) -> Double { edge.id < 0 ? unknownScore : scores[Int(edge.id)] }

    /// Adds how often each piece is to be expected in the word, times `count`.
    func addExpectations(
        _ bytes: [UInt8], _ word: Range<Int>, _ count: Double, _ scratch: inout Scratch,
        to sum: inout [Double]
    ) {
        findEdges(bytes, word, &scratch)
        // No product of probabilities gets lower than this; most words are short enough for plain products.
        if Double(word.count) * -unknownScore < Self.lowestExponent {
            addByProducts(word.count, count, &scratch, to: &sum)
        } else {
            addByLogarithms(word.count, count, &scratch, to: &sum)
        }
    }

    private static let lowestExponent = 650.0

    private func addByProducts(
        _ length: Int, _ count: Double, _ scratch: inout Scratch, to sum: inout [Double]
    ) {
        func probability(_ edge: Edge) -> Double {
            edge.id < 0 ? unknownProbability : probabilities[Int(edge.id)]
        }
        scratch.clear(length + 1, to: 0)
        scratch.forward[0] = 1
        scratch.backward[length] = 1
        for edge in scratch.edges {
            scratch.forward[Int(edge.end)] += scratch.forward[Int(edge.start)] * probability(edge)
        }
        for edge in scratch.edges.reversed() {
            scratch.backward[Int(edge.start)] += scratch.backward[Int(edge.end)] * probability(edge)
        }
        let scale = count / scratch.forward[length]
        for edge in scratch.edges where edge.id >= 0 {
            let way =
                scratch.forward[Int(edge.start)] * probability(edge) * scratch.backward[Int(edge.end)]
            sum[Int(edge.id)] += way * scale
        }
    }

    private func addByLogarithms(
        _ length: Int, _ count: Double, _ scratch: inout Scratch, to sum: inout [Double]
    ) {
        scratch.clear(length + 1, to: -Double.infinity)
        scratch.forward[0] = 0
        scratch.backward[length] = 0
        for edge in scratch.edges {
            let value = scratch.forward[Int(edge.start)] + score(edge)
            scratch.forward[Int(edge.end)] = Self.logAdd(scratch.forward[Int(edge.end)], value)
        }
        for edge in scratch.edges.reversed() {
            let value = scratch.backward[Int(edge.end)] + score(edge)
            scratch.backward[Int(edge.start)] = Self.logAdd(scratch.backward[Int(edge.start)], value)
        }
        let whole = scratch.forward[length]
        for edge in scratch.edges where edge.id >= 0 {
            let way =
                scratch.forward[Int(edge.start)] + score(edge) + scratch.backward[Int(edge.end)] - whole
            if way > -40 { sum[Int(edge.id)] += count * exp(way) }
        }
    }

    /// log(exp(left) + exp(right)).
    @inline(__always)
    private static func logAdd(_ left: Double, _ right: Double) -> Double {
        let (low, high) = left < right ? (left, right) : (right, left)
        let difference = low - high
        return difference < -40 ? high : high + log(1 + exp(difference))
    }

    /// The best way through a word, as ids in reverse, -1 for what is no piece.
    /// - Parameter excluded: a piece that must not be used.
    func best(
        _ bytes: [UInt8], _ word: Range<Int>, _ scratch: inout Scratch, without excluded: Int32 = -1
    ) -> [Int32] {
        findEdges(bytes, word, &scratch, without: excluded)
        scratch.forward.removeAll(keepingCapacity: true)
        scratch.forward.append(contentsOf: repeatElement(-Double.infinity, count: word.count + 1))
        scratch.last.removeAll(keepingCapacity: true)
        scratch.last.append(contentsOf: repeatElement(-1, count: word.count + 1))
        scratch.forward[0] = 0
        for (index, edge) in scratch.edges.enumerated() {
            let value = scratch.forward[Int(edge.start)] + score(edge)
            if value > scratch.forward[Int(edge.end)] {
                scratch.forward[Int(edge.end)] = value
                scratch.last[Int(edge.end)] = Int32(truncatingIfNeeded: index)
            }
        }
        var result: [Int32] = []
        var end = word.count
        while end > 0, scratch.last[end] >= 0 {
            let edge = scratch.edges[Int(scratch.last[end])]
            result.append(edge.id)
            end = Int(edge.start)
        }
        return result
    }
}
