/// How well a model does a task in several ways.
public struct InContextReport: Sendable, Equatable {
    /// What stands before a query.
    public enum Setting: String, Sendable, CaseIterable {
        /// Nothing.
        case zeroShot = "zero-shot"
        /// The demonstrations.
        case fewShot = "few-shot"
    }

    /// What is put in at the query's arrow.
    public enum Method: String, Sendable, CaseIterable {
        /// Nothing: in the few-shot setting this is in-context learning.
        case regular
        case vanilla, inner, momentum, adagrad, rmsprop, adam
        case taskVector = "task-vector"
        case functionVector = "function-vector"
        case average
        case divideAndConquer = "divide-and-conquer"

        init(_ method: StateOptimizer.Method) {
            switch method {
            case .none: self = .vanilla
            case .inner: self = .inner
            case .momentum: self = .momentum
            case .adagrad: self = .adagrad
            case .rmsprop: self = .rmsprop
            case .adam: self = .adam
            }
        }
    }

    /// One way to answer.
    public struct Row: Sendable, Equatable {
        public let setting: Setting
        public let method: Method
        /// Share of right answers, for each seed.
        public internal(set) var accuracies: [Double]
        /// The last layer that is replaced, or the one after which a vector is put in, for each seed; nil where
        /// nothing is put in.
        public internal(set) var layers: [Int?]

        public var accuracy: Double { accuracies.reduce(0, +) / Double(max(1, accuracies.count)) }

        /// Standard deviation over the seeds; 0 for one.
        public var deviation: Double {
            guard accuracies.count > 1 else { return 0 }
            let squares = accuracies.map { ($0 - accuracy) * ($0 - accuracy) }
            return (squares.reduce(0, +) / Double(accuracies.count - 1)).squareRoot()
        }
    }

    /// Accuracy on the validation pairs by layer, the mean over seeds.
    public struct Curve: Sendable, Equatable {
        public let setting: Setting
        public let method: Method
        public internal(set) var accuracies: [Double]
    }

    public internal(set) var rows: [Row] = []
    public internal(set) var curves: [Curve] = []
    public internal(set) var seeds: [UInt64] = []
    /// Pairs that were tested, for each seed.
    public internal(set) var tests: [Int] = []
    /// How far the dummy queries' states lie apart, for each seed.
    public internal(set) var spreads: [Double] = []
    public internal(set) var warnings: [InContextWarning] = []

    public func row(_ setting: Setting, _ method: Method) -> Row? {
        rows.first { $0.setting == setting && $0.method == method }
    }

    mutating func add(_ setting: Setting, _ method: Method, accuracy: Double, layer: Int?) {
        if let index = rows.firstIndex(where: { $0.setting == setting && $0.method == method }) {
            rows[index].accuracies.append(accuracy)
            rows[index].layers.append(layer)
        } else {
            rows.append(Row(setting: setting, method: method, accuracies: [accuracy], layers: [layer]))
        }
    }

    /// Adds one seed's curve to the mean over `count` seeds.
    mutating func add(_ setting: Setting, _ method: Method, curve: [Double], of count: Int) {
        let part = curve.map { $0 / Double(count) }
        if let index = curves.firstIndex(where: { $0.setting == setting && $0.method == method }) {
            curves[index].accuracies = zip(curves[index].accuracies, part).map { $0 + $1 }
        } else {
            curves.append(Curve(setting: setting, method: method, accuracies: part))
        }
    }

    mutating func warn(_ more: [InContextWarning]) {
        for warning in more where !warnings.contains(warning) { warnings.append(warning) }
    }
}
