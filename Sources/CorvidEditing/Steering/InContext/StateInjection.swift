import CorvidModels

/// What is put in at the last arrow of a prompt.
public enum StateInjection: Sendable {
    /// A state vector: what the heads give, in all its layers.
    case state(StateVector, mixing: StateMixing = StateMixing())
    /// A task vector, `[width]`: the residual after a block (Hendel et al., 2023).
    case residual([Float], after: Int)
    /// A function vector, `[width]`, which is added to the residual after a block (Todd et al., 2024).
    case addition([Float], after: Int)
}

/// How what is stored goes together with what stands there: old · h + stored · v.
public struct StateMixing: Sendable, Equatable {
    public var old: Float
    public var stored: Float
    /// Gives each row the length that it had before.
    public var keepsNorm: Bool

    public init(old: Float = 0, stored: Float = 1, keepsNorm: Bool = false) {
        self.old = old
        self.stored = stored
        self.keepsNorm = keepsNorm
    }

    /// Whether nothing of what stood there is left.
    var replaces: Bool { old == 0 && stored == 1 && !keepsNorm }
}

extension StateInjection {
    /// What a pass changes, at positions counted from the end of the prompt.
    /// - Parameter tokens: tokens of the query's arrow; a vector for more gives its last rows.
    public func changes(arrowTokens tokens: Int) -> [SiteChange] {
        switch self {
        case .residual(let values, let layer):
            return [
                SiteChange(.replace(SiteTensor(values)), at: .output(of: layer), positions: .lastOfPrompt)
            ]
        case .addition(let values, let layer):
            return [SiteChange(.add(SiteTensor(values)), at: .output(of: layer), positions: .lastOfPrompt)]
        case .state(let vector, let mixing):
            let vector = vector.lastTokens(tokens)
            let positions = Positions([-vector.tokens..<0], from: .promptEnd)
            return vector.layers.enumerated().flatMap { layer, values -> [SiteChange] in
                let site = Site(.heads, layer: layer)
                let tensor = SiteTensor(rows: values, columns: vector.columns, first: -vector.tokens)
                if mixing.replaces { return [SiteChange(.replace(tensor), at: site, positions: positions)] }
                if mixing.keepsNorm { return Self.keepingNorm(values, vector, mixing, at: site) }
                return [
                    SiteChange(.scale(mixing.old), at: site, positions: positions),
                    SiteChange(.add(tensor, scale: mixing.stored), at: site, positions: positions),
                ]
            }
        }
    }

    /// A change for each token, since each has a length of its own.
    private static func keepingNorm(
        _ values: [Float], _ vector: StateVector, _ mixing: StateMixing, at site: Site
    ) -> [SiteChange] {
        (0..<vector.tokens).map { token in
            let stored = Array(values[token * vector.columns..<(token + 1) * vector.columns])
            let place = token - vector.tokens
            return SiteChange(
                .closure { rows in
                    for row in 0..<rows.count {
                        let old = Array(rows[row])
                        let new = zip(old, stored).map { mixing.old * $0 + mixing.stored * $1 }
                        func length(_ values: [Float]) -> Double {
                            values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
                        }
                        let reached = length(new)
                        let factor = reached > 0 ? Float(length(old) / reached) : 1
                        rows[row] = new.map { $0 * factor }[...]
                    }
                }, at: site, positions: Positions([place..<place + 1], from: .promptEnd))
        }
    }

    /// Refuses what was made from another model.
    /// - Throws: ``InContextError``.
    public func check(_ configuration: ModelConfiguration) throws {
        switch self {
        case .state(let vector, _): try vector.check(configuration)
        case .residual(let values, let layer), .addition(let values, let layer):
            guard (0..<configuration.layers).contains(layer) else {
                throw InContextError.layer(layer, layers: configuration.layers)
            }
            guard values.count == configuration.width else {
                throw InContextError.otherModel(
                    layers: 1, columns: values.count, expectedLayers: 1, expectedColumns: configuration.width)
            }
            guard values.allSatisfy(\.isFinite) else { throw InContextError.notFinite(layer: layer) }
        }
    }
}

extension StateVector {
    /// Refuses a vector of another model.
    /// - Throws: ``InContextError``.
    public func check(_ configuration: ModelConfiguration) throws {
        let expected = configuration.siteWidth(.heads) ?? 0
        guard columns == expected, layers.count <= configuration.layers else {
            throw InContextError.otherModel(
                layers: layers.count, columns: columns, expectedLayers: configuration.layers,
                expectedColumns: expected)
        }
        if let layer = layers.firstIndex(where: { !$0.allSatisfy(\.isFinite) }) {
            throw InContextError.notFinite(layer: layer)
        }
    }
}
