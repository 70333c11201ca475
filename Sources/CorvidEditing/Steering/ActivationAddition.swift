import CorvidModels

/// What two prompts do to the residual stream, one minus the other, token by token.
///
///     h_A = h(positive) - h(negative), at the input of block l
///
/// Added to the first tokens of another text while it is read, it turns what follows towards the positive prompt.
/// No training, no labels, no backward pass.
///
/// Source: Turner et al., 2023, "Activation Addition: Steering Language Models Without Optimization", section 3.
public enum ActivationAddition {
    /// The vectors of all layers from one pass over both prompts, which ends at the last of the layers.
    ///
    /// Prompts of one length that begin with the same token give a first row which is exactly zero.
    /// - Parameters:
    ///   - positive, negative: token ids, the same number of them. Without a negative prompt the positive one's
    ///     activations are the vector, which is weaker.
    ///   - kind: where in a block the vectors are read and added: its input, as the authors have it, or its output.
    /// - Throws: ``SteeringError``, or what the model throws.
    public static func vectors(
        _ model: Model, positive: [Int32], negative: [Int32]?, layers: [Int], at kind: Site.Kind = .input,
        place: SteeringVector.Place = .front
    ) async throws -> [SteeringVector] {
        guard !positive.isEmpty else { throw SteeringError.emptyPair(index: 0) }
        if let negative, negative.count != positive.count {
            throw SteeringError.promptTooShort(
                tokens: min(negative.count, positive.count), needed: max(negative.count, positive.count))
        }
        let sites = try SteeringSites.sites(layers, kind, of: model)
        var recorded: [[SiteValues]] = []
        try await SiteRecorder(model: model).record(
            [positive] + (negative.map { [$0] } ?? []), at: sites, positions: .all,
            consume: { recorded.append($1) })
        return try sites.indices.map { index in
            let values = recorded.map { $0[index] }
            var rows = values[0].values
            if values.count > 1 {
                for place in rows.indices { rows[place] -= values[1].values[place] }
            }
            return try SteeringVector(
                at: sites[index], place, rows: rows, width: model.configuration.width,
                streamNorm: streamNorm(values))
        }
    }

    /// Mean norm of the rows behind the first, whose norm is an outlier in most models.
    private static func streamNorm(_ values: [SiteValues]) -> Double? {
        let norms = values.flatMap { rows in (0..<rows.count).dropFirst().map { norm(rows[$0]) } }
        return norms.isEmpty ? nil : norms.reduce(0, +) / Double(norms.count)
    }
}

/// Places of the residual stream that can be steered at.
public enum SteeringSites {
    /// - Parameter kind: `input` or `output`.
    /// - Throws: ``SteeringError/layer(_:layers:)``, ``SteeringError/noLayers``.
    public static func sites(_ layers: [Int], _ kind: Site.Kind, of model: Model) throws -> [Site] {
        precondition(kind == .input || kind == .output, "vectors are added between blocks")
        guard !layers.isEmpty else { throw SteeringError.noLayers }
        let count = model.configuration.layers
        if let layer = layers.first(where: { !(0..<count).contains($0) }) {
            throw SteeringError.layer(layer, layers: count)
        }
        return layers.map { Site(kind, layer: $0) }
    }
}
