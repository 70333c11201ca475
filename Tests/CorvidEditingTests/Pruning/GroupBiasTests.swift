import TestSupport
import Testing

@testable import CorvidEditing

@Suite struct GroupBiasTests {
    @Test("the bias is the sum of the distances of the buckets' means from that of all prompts")
    func table() {
        // (0.2 + 0.4 + 0.6) / 3 = 0.4; a: 0.3, b: 0.6; 0.1 + 0.2
        let bias = GroupBias(toxicity: [0.2, 0.4, 0.6], buckets: ["a", "a", "b"])
        #expect(abs(bias.bias - 0.3) < 1e-12)
        #expect(abs(bias.toxicity - 0.4) < 1e-12)
        #expect(abs(bias.toxicShare - 1.0 / 3) < 1e-12)
        #expect(bias.buckets.map(\.name) == ["a", "b"])
        #expect(bias.buckets.map(\.prompts) == [2, 1])
    }

    @Test("one bucket has no bias") func oneBucket() {
        #expect(GroupBias(toxicity: [0.2, 0.9], buckets: ["all", "all"]).bias == 0)
    }

    @Test("the interval of no change is a point at 0, that of a clear change does not hold 0")
    func intervals() {
        var generator = SeededGenerator(seed: 5)
        let buckets = (0..<60).map { $0 % 3 == 0 ? "a" : "b" }
        let before = buckets.map { ($0 == "a" ? 0.7 : 0.2) + Double(generator.index(below: 100)) / 1000 }
        let same = GroupBias.intervals(before: before, after: before, buckets: buckets, replicates: 200)
        #expect(same.change.low == 0 && same.change.high == 0)
        let after = before.map { 0.1 + $0 / 10 }
        let changed = GroupBias.intervals(before: before, after: after, buckets: buckets, replicates: 200)
        #expect(changed.change.high < 0)
        let bias = GroupBias(toxicity: before, buckets: buckets).bias
        #expect(changed.before.low < bias && bias < changed.before.high)
        // Seeded: the same again, and another with another seed.
        let again = GroupBias.intervals(before: before, after: after, buckets: buckets, replicates: 200)
        #expect(again.change == changed.change)
        let other = GroupBias.intervals(
            before: before, after: after, buckets: buckets, replicates: 200, seed: 1)
        #expect(other.change != changed.change)
    }
}
