import CorvidEditing
import TestSupport
import Testing

@Suite struct StateOptimizerTests {
    private static func states(
        _ count: Int, _ value: (_ state: Int, _ index: Int) -> Double
    ) throws -> InContextStates {
        let all = try (0..<count).map { state in
            try StateVector(
                layers: (0..<2).map { layer in (0..<6).map { Float(value(state, layer * 6 + $0)) } },
                tokens: 2,
                columns: 3)
        }
        return try InContextStates(demonstrations: Array(all.dropLast()), queries: [all[count - 1]])
    }

    private static func optimizer(_ method: StateOptimizer.Method) -> StateOptimizer {
        StateOptimizer(method)
    }

    @Test("the mean of seven equal states is that state") func equalStates() throws {
        let states = try Self.states(11) { state, index in state < 4 ? 99 : Double(index) / 8 }
        let inner = try Self.optimizer(.inner).vector(of: states)
        #expect(inner == states.query)
    }

    @Test("the mean is that of the last seven states") func lastSeven() throws {
        // Of 0, 1, ..., 10 they are 4, ..., 10, and their mean is 7.
        let states = try Self.states(11) { state, _ in Double(state) }
        #expect(try Self.optimizer(.inner).vector(of: states).layers.joined().allSatisfy { $0 == 7 })
        #expect(try Self.optimizer(.none).vector(of: states) == states.query)
    }

    @Test("momentum moves the mean of a linear sequence by one step") func linear() throws {
        // V_i = A + i B: each difference is B, the weights have sum 1.
        let states = try Self.states(11) { state, index in Double(index) + Double(state + 1) * 0.25 }
        let inner = try Self.optimizer(.inner).vector(of: states)
        let moved = try Self.optimizer(.momentum).vector(of: states)
        for (mean, value) in zip(inner.layers.joined(), moved.layers.joined()) {
            #expect(abs(value - mean - 0.25) < 1e-6)
        }
    }

    @Test("the last five differences weigh 1, 2, 4, 8 and 16 parts of 31") func weights() throws {
        // One state differs from the others, so that one difference is 1 and the next one -1.
        let expected: [Double] = [1, 2, 4, 8, 16].map { $0 / 31 }
        for demonstration in 5..<10 {
            let states = try Self.states(11) { state, _ in state < demonstration ? 0 : 1 }
            let inner = Double(try Self.optimizer(.inner).vector(of: states).layers[0][0])
            let moved = Double(try Self.optimizer(.momentum).vector(of: states).layers[0][0])
            #expect(abs(moved - inner - expected[demonstration - 5]) < 1e-6)
        }
    }

    @Test("every method agrees with a loop in double", arguments: [1, 2, 3] as [UInt64])
    func loops(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let values = (0..<11).map { _ in (0..<12).map { _ in Float(generator.int(-1_000...1_000)) / 500 } }
        let states = try Self.states(11) { Double(values[$0][$1]) }
        for retention in [0.25, 0.5, 1] {
            for index in 0..<12 {
                let v = values.map { Double($0[index]) }
                let mean = (v[4] + v[5] + v[6] + v[7] + v[8] + v[9] + v[10]) / 7
                // E_6, ..., E_10 in the paper's count from 1.
                let e = [v[5] - v[4], v[6] - v[5], v[7] - v[6], v[8] - v[7], v[9] - v[8]]
                var weights = [1.0]
                for _ in 0..<4 { weights.insert((weights.first ?? 1) * retention, at: 0) }
                let sum = weights.reduce(0, +)
                var moves: [StateOptimizer.Method: Double] = [:]
                var (ada, root, first, second) = (0.0, 0.0, 0.0, 0.0)
                for (turn, x) in e.enumerated() {
                    let weight = weights[turn] / sum
                    ada += x * x
                    root = 0.9 * root + 0.1 * x * x
                    first = 0.9 * first + 0.1 * x
                    second = 0.999 * second + 0.001 * x * x
                    func power(_ base: Double) -> Double { (0...turn).reduce(1) { value, _ in value * base } }
                    moves[.momentum, default: 0] += weight * x
                    moves[.adagrad, default: 0] += weight * x / (ada.squareRoot() + 1e-7)
                    moves[.rmsprop, default: 0] += weight * x / (root.squareRoot() + 1e-7)
                    moves[.adam, default: 0] +=
                        weight * first / (1 - power(0.9))
                        / ((second / (1 - power(0.999))).squareRoot() + 1e-7)
                }
                for (method, move) in moves {
                    var optimizer = StateOptimizer(method)
                    optimizer.retention = retention
                    let found = try optimizer.vector(of: states).layers[index / 6][index % 6]
                    #expect(abs(Double(found) - mean - move) < 1e-6, "\(method), seed \(seed)")
                }
            }
        }
    }

    @Test("fewer states than the window are all averaged, with a warning") func fewStates() throws {
        let states = try Self.states(3) { state, _ in Double(state) }
        #expect(try Self.optimizer(.inner).vector(of: states).layers[0][0] == 1)
        // One difference, of weight 1.
        #expect(try Self.optimizer(.momentum).vector(of: states).layers[0][0] == 2)
        #expect(Self.optimizer(.inner).warnings(states: 3) == [.fewStates(found: 3, window: 7)])
        #expect(Self.optimizer(.none).warnings(states: 3).isEmpty)
        #expect(Self.optimizer(.momentum).warnings(states: 7).isEmpty)
        let one = try Self.states(2) { _, _ in 3 }
        #expect(try Self.optimizer(.momentum).vector(of: one) == one.query)
    }

    @Test("settings outside their range are refused") func refused() throws {
        let states = try Self.states(3) { state, _ in Double(state) }
        for change in [
            { $0.window = 0 }, { $0.retention = 0 }, { $0.retention = 1.5 }, { $0.retention = .nan },
            { $0.step = .infinity },
        ] as [(inout StateOptimizer) -> Void] {
            var optimizer = StateOptimizer(.momentum)
            change(&optimizer)
            #expect(throws: InContextError.self) { try optimizer.vector(of: states) }
        }
    }
}
