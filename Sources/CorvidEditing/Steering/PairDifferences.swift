import CorvidModels

/// What the pairs of a contrast set differ by at one site.
struct PairDifferences: Sendable {
    private(set) var count = 0
    /// Differences of the pairs that the vector is made of; empty where only sums are kept.
    private(set) var rows: [[Double]] = []
    private var heldOut: [[Double]] = []
    private var sums: [Double]
    private var norms = (sum: 0.0, count: 0)
    private let keepsRows: Bool

    init(width: Int, keepsRows: Bool) {
        sums = [Double](repeating: 0, count: width)
        self.keepsRows = keepsRows
    }

    mutating func addNorms(_ values: [Double]) {
        norms.sum += values.reduce(0, +)
        norms.count += values.count
    }

    mutating func add(_ positive: [Double], minus negative: [Double], isHeldOut: Bool) {
        let difference = zip(positive, negative).map { $0 - $1 }
        if isHeldOut {
            heldOut.append(difference)
            return
        }
        count += 1
        sums.add(difference)
        if keepsRows { rows.append(difference) }
    }

    var mean: [Double] { sums.map { $0 / Double(max(1, count)) } }

    /// - Throws: ``SteeringError/noDirection(_:)``.
    func vector(at site: Site, _ settings: ContrastSettings) throws -> ContrastVector {
        let found: [Double]?
        switch settings.method {
        case .mean: found = mean.direction
        case .pca: found = LeadingDirection.of(rows)
        case .pcaCentred:
            let mean = mean
            found = LeadingDirection.of(rows.map { zip($0, mean).map { $0 - $1 } })
        case .logistic:
            found = LogisticDirection.of(
                rows.map { $0.map { $0 / 2 } }, inversePenalty: settings.inversePenalty)
        }
        guard var direction = found else { throw SteeringError.noDirection(site) }
        if isBackwards(direction) { direction = direction.map { -$0 } }
        let separation = dot(mean, direction)
        let length: Double =
            switch settings.length {
            case .natural: settings.method == .mean ? mean.length : 1
            case .unit: 1
            case .projection: separation
            }
        let vector = try SteeringVector(
            at: site, settings.place, rows: direction.map { Float($0 * length) }, width: direction.count,
            streamNorm: norms.count > 0 ? norms.sum / Double(norms.count) : nil)
        return ContrastVector(
            vector: vector, pairs: count, separation: separation,
            accuracy: Self.accuracy(rows, direction), heldOutAccuracy: Self.accuracy(heldOut, direction))
    }

    /// Whether fewer positive texts lie further along it than negative ones; with as many of both the mean decides.
    private func isBackwards(_ direction: [Double]) -> Bool {
        let along = rows.map { dot($0, direction) }
        let balance = along.count { $0 > 0 } - along.count { $0 < 0 }
        return balance == 0 ? dot(mean, direction) < 0 : balance < 0
    }

    private static func accuracy(_ rows: [[Double]], _ direction: [Double]) -> Double? {
        guard !rows.isEmpty else { return nil }
        return Double(rows.count { dot($0, direction) > 0 }) / Double(rows.count)
    }
}
