import CorvidTensors
import Testing

@Suite struct PhiloxTests {
    /// Known answers published with Random123 (`kat_vectors`, philox4x32, 10 rounds).
    @Test(
        "Philox4x32-10 gives the published answers",
        arguments: [
            Answer([0, 0, 0, 0], [0, 0], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            Answer(
                [.max, .max, .max, .max], [.max, .max],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            Answer(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]),
        ])
    func knownAnswers(_ answer: Answer) {
        #expect(Philox4x32.block(counter: answer.counter, key: answer.key) == answer.words)
    }

    struct Answer: Sendable {
        let counter: SIMD4<UInt32>
        let key: SIMD2<UInt32>
        let words: SIMD4<UInt32>

        init(_ counter: SIMD4<UInt32>, _ key: SIMD2<UInt32>, _ words: SIMD4<UInt32>) {
            self.counter = counter
            self.key = key
            self.words = words
        }
    }
}

@Suite struct CounterRandomTests {
    @Test("a number is made of the first two words of the block at (index, step, stream) under the seed")
    func place() {
        // The third known answer, written as seed, stream, step and index.
        let random = CounterRandom(seed: 0x299f_31d0_a409_3822)
        let number = random.uniform(stream: 0x0370_7344, step: 0x1319_8a2e_85a3_08d3, index: 0x243f_6a88)
        // The top 53 of the 64 bits d16cfe09 94fdcceb.
        #expect(number == Double(0xd16c_fe09_94fd_cceb as UInt64 >> 11) / 9_007_199_254_740_992)
    }

    @Test("numbers are uniform on [0, 1) along steps, streams, indices and seeds", arguments: [0, 1, 2, 3])
    func uniform(_ axis: Int) {
        let count = 40_000
        var bins = [Int](repeating: 0, count: 100)
        for i in 0..<count {
            let number =
                switch axis {
                case 0: CounterRandom(seed: 7).uniform(stream: 3, step: UInt64(i))
                case 1: CounterRandom(seed: 7).uniform(stream: UInt32(i), step: 3)
                case 2: CounterRandom(seed: 7).uniform(step: 3, index: UInt32(i))
                default: CounterRandom(seed: UInt64(i)).uniform(step: 3)
                }
            #expect(number >= 0 && number < 1, "axis \(axis), i \(i)")
            bins[min(max(Int(number * 100), 0), 99)] += 1
        }
        // Chi-square with 99 degrees of freedom: mean 99, deviation 14; 180 is beyond the 1e-6 quantile.
        let chi = bins.reduce(0.0) { $0 + (Double($1) - 400) * (Double($1) - 400) / 400 }
        #expect(chi < 180, "axis \(axis)")
    }
}
