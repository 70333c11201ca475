/// Makes one better vector of the states along a prompt, without gradients (Li et al., 2024, eq. 7 to 9).
///
/// The states V_1, ..., V_N, V_q are taken for the steps of an optimiser on its way to the task.
public struct StateOptimizer: Sendable, Equatable {
    public enum Method: String, Sendable, CaseIterable {
        /// V_q as it is: the vanilla state vector.
        case none
        /// The mean of the last ``StateOptimizer/window`` states.
        case inner
        /// The same, moved on by the exponential mean of the last differences.
        case momentum
        /// Steps of adaptive optimisers in place of the differences; the paper shows that they fail.
        case adagrad, rmsprop, adam
    }

    public var method: Method
    /// States that the mean is taken of: the last ones, since few demonstrations precede the first (7 in the paper).
    public var window = 7
    /// What a difference keeps of its weight with each later one (0.5 in the paper).
    public var retention = 0.5
    /// Factor of the movement.
    public var step = 1.0
    /// What RMSprop keeps of its mean square.
    public var squareRetention = 0.9
    /// What Adam keeps of its means.
    public var adamRetention = (first: 0.9, second: 0.999)

    public init(_ method: Method = .momentum) { self.method = method }

    public static func == (left: StateOptimizer, right: StateOptimizer) -> Bool {
        left.method == right.method && left.window == right.window && left.retention == right.retention
            && left.step == right.step && left.squareRetention == right.squareRetention
            && left.adamRetention == right.adamRetention
    }

    /// - Throws: ``InContextError/outOfRange(field:found:allowed:)``.
    public func validate() throws {
        try InContextError.check("window", window, 1...100_000)
        guard retention > 0, retention <= 1 else {
            throw InContextError.outOfRange(
                field: "retention", found: "\(retention)", allowed: "more than 0, up to 1")
        }
        guard step.isFinite else {
            throw InContextError.outOfRange(field: "step", found: "\(step)", allowed: "a finite number")
        }
    }

    /// What will not be as the settings say.
    public func warnings(states: Int) -> [InContextWarning] {
        method != .none && states < window ? [.fewStates(found: states, window: window)] : []
    }

    /// Weights of the last differences, oldest first, with sum 1: retention^(age). With a window of 7 and a
    /// retention of 0.5 they are 1, 2, 4, 8, 16 parts of 31.
    ///
    /// - Parameter count: how many differences V_i - V_(i-1) there are between demonstrations.
    func weights(differences count: Int) -> [Double] {
        let used = min(count, max(0, window - 2))
        var weights: [Double] = []
        for _ in 0..<used { weights = weights.map { $0 * retention } + [1] }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }

    /// - Throws: ``InContextError``.
    public func vector(of states: InContextStates) throws -> StateVector {
        try validate()
        let sequence = states.sequence
        if method == .none { return states.query }
        let mean = try StateVector.mean(Array(sequence.suffix(window)))
        let shown = states.demonstrations
        let weights = weights(differences: shown.count - 1)
        guard method != .inner, !weights.isEmpty else { return mean }
        let first = shown.count - weights.count
        let layers = mean.layers.indices.map { layer -> [Float] in
            let values = shown[(first - 1)...].map { $0.layers[layer] }
            return mean.layers[layer].indices.map { index in
                var moved = 0.0
                var mover = Mover(self)
                for (step, weight) in weights.enumerated() {
                    let difference = Double(values[step + 1][index]) - Double(values[step][index])
                    moved += weight * mover.step(difference)
                }
                return Float(Double(mean.layers[layer][index]) + step * moved)
            }
        }
        return try StateVector(layers: layers, tokens: mean.tokens, columns: mean.columns)
    }

    /// The state of an optimiser for one value.
    private struct Mover {
        private static let epsilon = 1e-7
        let settings: StateOptimizer
        private var (first, second) = (0.0, 0.0)
        private var (firstPower, secondPower) = (1.0, 1.0)

        init(_ settings: StateOptimizer) { self.settings = settings }

        mutating func step(_ e: Double) -> Double {
            switch settings.method {
            case .none, .inner, .momentum: return e
            case .adagrad:
                second += e * e
                return e / (second.squareRoot() + Self.epsilon)
            case .rmsprop:
                second = settings.squareRetention * second + (1 - settings.squareRetention) * e * e
                return e / (second.squareRoot() + Self.epsilon)
            case .adam:
                let (a, b) = settings.adamRetention
                first = a * first + (1 - a) * e
                second = b * second + (1 - b) * e * e
                firstPower *= a
                secondPower *= b
                return first / (1 - firstPower) / ((second / (1 - secondPower)).squareRoot() + Self.epsilon)
            }
        }
    }
}
