import CorvidModels
import CorvidTensors
import Testing

@Suite struct GenerationStepTests {
    private func apply(
        _ step: any LogitsStep, to logits: [Float], prompt: [Int32] = [], answer: [Int32] = []
    )
        -> Candidates
    {
        var candidates = Candidates(ids: (0..<Int32(logits.count)).map { $0 }, logits: logits)
        var history = TokenHistory(prompt: prompt)
        for id in answer { history.append(id) }
        step.apply(to: &candidates, history: history)
        return candidates
    }

    @Test("the repetition penalty divides positive and multiplies negative logits, once per token")
    func repetition() {
        let result = apply(RepetitionPenalty(2), to: [3, -3, 0, 4], prompt: [0, 0], answer: [1, 2, 1])
        #expect(result.logits == [1.5, -6, 0, 4])
    }

    @Test("the frequency penalty counts the answer only, each occurrence")
    func frequency() {
        let result = apply(FrequencyPenalty(0.5), to: [1, 1, 1], prompt: [0, 0], answer: [1, 1, 1, 2])
        #expect(result.logits == [1, -0.5, 0.5])
    }

    @Test("the presence penalty counts the answer only, once per token")
    func presence() {
        let result = apply(PresencePenalty(0.5), to: [1, 1, 1], prompt: [0, 0], answer: [1, 1, 1, 2])
        #expect(result.logits == [1, 0.5, 0.5])
    }

    @Test("penalties and bias leave tokens alone that are no candidates or no tokens")
    func absentTokens() {
        let history: [Int32] = [-1, 1, 9, .max, .min]
        for step in [RepetitionPenalty(2), FrequencyPenalty(1), PresencePenalty(1)] as [any LogitsStep] {
            var candidates = Candidates(ids: [0, 5], logits: [1, 2])
            var seen = TokenHistory(prompt: [])
            for id in history { seen.append(id) }
            step.apply(to: &candidates, history: seen)
            #expect(candidates == Candidates(ids: [0, 5], logits: [1, 2]))
        }
        #expect(apply(LogitBias([-1: 1, 7: 1]), to: [1, 2]).logits == [1, 2])
    }

    @Test("the bias is added, also to sparse candidates")
    func bias() {
        #expect(apply(LogitBias([1: 2.5, 2: -.infinity]), to: [1, 1, 1]).logits == [1, 3.5, -.infinity])
        var candidates = Candidates(ids: [3, 8, 11], logits: [1, 2, 3])
        LogitBias([8: 5]).apply(to: &candidates, history: TokenHistory(prompt: []))
        #expect(candidates.logits == [1, 7, 3])
    }

    @Test("a temperature divides distances to the greatest logit and never makes NaN")
    func temperature() {
        #expect(apply(Temperature(2), to: [3, 1, -.infinity]).logits == [0, -1, -.infinity])
        let cold = apply(Temperature(0), to: [3, 1, 3]).logits
        #expect(cold[0] == 0 && cold[1] < -1e30 && cold[2] == 0)
    }

    @Test("top-k keeps the k most likely, of equal ones the lowest ids, in ascending order of ids")
    func topK() {
        let logits: [Float] = [1, 5, 3, 5, 3, -.infinity, 3]
        #expect(apply(TopK(1), to: logits).ids == [1])
        #expect(apply(TopK(2), to: logits).ids == [1, 3])
        #expect(apply(TopK(4), to: logits).ids == [1, 2, 3, 4])
        #expect(apply(TopK(7), to: logits).ids?.count == 7)
        #expect(apply(TopK(0), to: logits).ids == [1])
        // -0 and 0 are equal logits.
        #expect(apply(TopK(1), to: [-0.0, 0.0]).ids == [0])
        #expect(apply(TopK(1), to: [-1, -0.0, 0.0]).ids == [1])
    }

    @Test("top-k agrees with a full sort", arguments: 0..<40)
    func topKSorted(seed: Int) {
        let random = CounterRandom(seed: UInt64(seed))
        let count = 1 + Int(random.uniform(step: 0) * 3_000)
        // Few different values, so that ties are common.
        let logits = (0..<count).map { Float(Int(random.uniform(stream: 1, step: UInt64($0)) * 50) - 25) / 4 }
        let wanted = 1 + Int(random.uniform(step: 1) * Double(count))
        let sorted = logits.indices.sorted { (logits[$0], $1) > (logits[$1], $0) }
        let expected = sorted.prefix(wanted).map { Int32($0) }.sorted()
        #expect(apply(TopK(wanted), to: logits).ids == expected, "seed \(seed)")
    }

    @Test("top-p keeps the smallest set whose mass is at least p")
    func topP() {
        // Probabilities 8, 4, 2, 1, 1 sixteenths in some order, exact in binary.
        let logits: [Float] = [1, 4, 16, 2, 1].map {
            [1: 0, 2: 1, 4: 2, 8: 3, 16: 4][$0, default: 0] * 0.6931472
        }
        // Weights 1, 4, 16, 2, 1 of 24: cumulated 16/24 = 0.667, 20/24 = 0.833, 22/24 = 0.917, 23/24 = 0.958.
        #expect(apply(TopP(0), to: logits).ids == [2])
        #expect(apply(TopP(0.66), to: logits).ids == [2])
        #expect(apply(TopP(0.67), to: logits).ids == [1, 2])
        #expect(apply(TopP(0.9), to: logits).ids == [1, 2, 3])
        #expect(apply(TopP(0.95), to: logits).ids == [0, 1, 2, 3])
        #expect(apply(TopP(0.99), to: logits).ids == [0, 1, 2, 3, 4])
        #expect(apply(TopP(1), to: logits).ids?.count == 5)
    }

    @Test("top-p at an exact border takes no token more, and of equal tokens the lowest ids")
    func topPBorder() {
        #expect(apply(TopP(0.5), to: [2, 2, 2, 2]).ids == [0, 1])
        #expect(apply(TopP(0.51), to: [2, 2, 2, 2]).ids == [0, 1, 2])
        #expect(apply(TopP(0.9), to: [-.infinity, 0, -.infinity]).ids == [1])
    }

    @Test("top-p agrees with a full sort", arguments: 0..<40)
    func topPSorted(seed: Int) {
        let random = CounterRandom(seed: UInt64(seed) + 1_000)
        let count = 2 + Int(random.uniform(step: 0) * 2_000)
        let spread = [0.1, 1, 10, 60][seed % 4]
        let logits = (0..<count).map { Float((random.uniform(stream: 1, step: UInt64($0)) * spread)) }
        let mass = random.uniform(step: 1)
        let greatest = Double(logits.max() ?? 0)
        let weights = logits.map { exponentialOfTest(Double($0) - greatest) }
        let total = weights.reduce(0, +)
        let sorted = logits.indices.sorted { (logits[$0], $1) > (logits[$1], $0) }
        var sum = 0.0
        var expected: [Int32] = []
        for index in sorted {
            expected.append(Int32(index))
            sum += weights[index]
            if sum >= mass * total { break }
        }
        #expect(apply(TopP(mass), to: logits).ids == expected.sorted(), "seed \(seed)")
    }

    @Test("min-p keeps what is at least p times as likely as the best")
    func minP() {
        let logits: [Float] = [0, -1, -2, -3, 0]
        // exp(-1) = 0.368, exp(-2) = 0.135, exp(-3) = 0.0498
        #expect(apply(MinP(1), to: logits).ids == [0, 4])
        #expect(apply(MinP(0.37), to: logits).ids == [0, 4])
        #expect(apply(MinP(0.36), to: logits).ids == [0, 1, 4])
        #expect(apply(MinP(0.05), to: logits).ids == [0, 1, 2, 4])
        #expect(apply(MinP(0), to: logits).ids?.count == 5)
    }

    @Test("steps leave candidates alone that all have probability 0")
    func nothingLeft() {
        let logits = [Float](repeating: -.infinity, count: 3)
        for step in [Temperature(0.5), TopP(0.5), MinP(0.5)] as [any LogitsStep] {
            #expect(apply(step, to: logits).logits == logits)
        }
    }

    @Test("the gaps of a tokenizer are forbidden")
    func gaps() {
        let forbidden = ForbiddenTokens(gapsOf: ByteTokenizer(["a", "", "b", ""]))
        #expect(forbidden.ids == [257, 259])
        #expect(apply(ForbiddenTokens([1]), to: [1, 2, 3]).logits == [1, -.infinity, 3])
    }
}
