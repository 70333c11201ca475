import CorvidModels

/// Steering vectors of a data set of pairs.
///
/// | method | vector | source |
/// |---|---|---|
/// | `mean` | mean of h(positive) - h(negative) | Panickssery et al., 2024, section 3 |
/// | `pca` | first principal component of the differences, not centred; length 1 | Zou et al., 2023, appendix C |
/// | `pcaCentred` | the same after the mean difference is taken off | repeng's default |
/// | `logistic` | normal of the plane that parts both, without intercept; length 1 | Marks and Tegmark, 2023 |
///
/// Not centring the differences is centring each pair on its middle. Centring them takes away what all pairs have
/// in common, which is what one is looking for: when the pairs differ in one direction alone, `pcaCentred` finds
/// what is left over.
///
/// Signs are chosen so that most positive texts lie further along the vector than their negatives.
public enum ContrastMethod: String, Sendable, CaseIterable {
    case mean
    case pca
    case pcaCentred = "pca-centred"
    case logistic
}

/// How long the vectors of a contrast set are.
public enum ContrastLength: String, Sendable, CaseIterable {
    /// As the method has it: the mean's own length, 1 for the others.
    case natural
    /// 1
    case unit
    /// As far as positive and negative texts lie apart along it, on average. Streams grow by a factor of ten to a
    /// hundred with depth; so vectors of length 1 push very differently in different layers, these alike.
    case projection
}

/// What becomes of a data set of pairs.
public struct ContrastSettings: Sendable {
    public var method = ContrastMethod.mean
    public var length = ContrastLength.natural
    public var reading = ContrastSet.Reading.last
    /// Part of the pairs, the last ones, that is kept apart to measure how well the vector tells them apart; 0..<1.
    public var heldOut = 0.0
    /// Where in a block the vectors are read and added.
    public var kind = Site.Kind.output
    public var place = SteeringVector.Place.all
    /// Inverse weight of the penalty on the logistic plane, > 0; that of scikit-learn and 1 there too.
    public var inversePenalty = 1.0

    public init() {}

    /// - Throws: ``SteeringError/strength(_:found:)``.
    func validate() throws {
        guard (0..<1).contains(heldOut) else { throw SteeringError.strength("held-out", found: heldOut) }
        guard inversePenalty > 0, inversePenalty.isFinite else {
            throw SteeringError.strength("the inverse penalty", found: inversePenalty)
        }
    }
}

/// The vector of one layer, and how well it tells the pairs apart.
public struct ContrastVector: Sendable {
    public let vector: SteeringVector
    /// Pairs that it was made of.
    public let pairs: Int
    /// Mean of (h(positive) - h(negative)) · v̂.
    public let separation: Double
    /// Part of these pairs whose positive text lies further along the vector; nil where only sums were kept.
    public let accuracy: Double?
    /// The same of pairs that it was not made of; nil without any.
    public let heldOutAccuracy: Double?
}

extension ContrastSet {
    /// The vectors of all layers from one pass over each text, which ends at the last of the layers.
    ///
    /// Texts run side by side. Means are running sums in float64; the other methods keep one difference for each
    /// pair and layer, in float64.
    /// - Parameters:
    ///   - texts: the pairs as token ids, each with the token of the beginning.
    ///   - layers: where; see ``ContrastSettings/kind``.
    /// - Throws: ``SteeringError``, or what the model throws.
    public static func vectors(
        _ model: Model, texts: [(positive: [Int32], negative: [Int32])], layers: [Int],
        settings: ContrastSettings = ContrastSettings(),
        progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> [ContrastVector] {
        try settings.validate()
        let sites = try SteeringSites.sites(layers, settings.kind, of: model)
        guard !texts.isEmpty else { throw SteeringError.noPairs(file: "the data") }
        let heldOut = min(texts.count - 1, Int(Double(texts.count) * settings.heldOut))
        let training = texts.count - heldOut
        var differences = sites.map { _ in
            PairDifferences(width: model.configuration.width, keepsRows: settings.method != .mean)
        }
        let positions = try Self.positions(settings.reading, texts)
        var pending: [[Double]] = []
        try await SiteRecorder(model: model).record(
            texts.flatMap { [$0.positive, $0.negative] }, at: sites, positions: positions,
            consume: { text, values in
                let means = values.map(\.meanRow)
                for (index, found) in values.enumerated() {
                    differences[index].addNorms((0..<found.count).map { norm(found[$0]) })
                }
                if text.isMultiple(of: 2) {
                    pending = means
                } else {
                    for index in sites.indices {
                        differences[index].add(
                            pending[index], minus: means[index], isHeldOut: text / 2 >= training)
                    }
                }
            }, progress: progress)
        return try zip(sites, differences).map { try $1.vector(at: $0, settings) }
    }

    private static func positions(
        _ reading: Reading, _ texts: [(positive: [Int32], negative: [Int32])]
    ) throws -> Positions {
        let needed: Int
        let positions: Positions
        switch reading {
        case .last: (needed, positions) = (1, .lastOfPrompt)
        case .all: (needed, positions) = (2, .from(1))
        case .index(let index) where index >= 0: (needed, positions) = (index + 1, .at(index))
        case .index(let index):
            (needed, positions) = (-index, Positions([index..<index + 1], from: .promptEnd))
        }
        for (index, text) in texts.enumerated() {
            let shortest = min(text.positive.count, text.negative.count)
            guard shortest >= needed else {
                if case .index(let position) = reading {
                    throw SteeringError.index(position, pair: index, tokens: shortest)
                }
                throw SteeringError.emptyPair(index: index)
            }
        }
        return positions
    }
}

extension SiteValues {
    /// Mean of all rows, in double.
    var meanRow: [Double] {
        var sums = [Double](repeating: 0, count: columns)
        for row in 0..<count {
            for (column, value) in self[row].enumerated() { sums[column] += Double(value) }
        }
        return count > 1 ? sums.map { $0 / Double(count) } : sums
    }
}
