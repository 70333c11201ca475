import CorvidTensors

/// Writes a new model with patches in its weights, tensor by tensor: all of it or nothing.
///
/// Weights are changed in f32 and rounded once to their type. An addition at all positions to what a block, its
/// attention or its MLP gives becomes a bias where the model has one; masks of heads and neurons become factors of
/// the columns that read them. What depends on positions or activations is refused.
public struct PatchMerge {
    private let conversion: ModelConversion

    /// Plans a merge; writes nothing yet.
    /// - Parameters:
    ///   - stack: patches that were checked against `model`.
    ///   - name: what the new model calls its base.
    ///   - type: of all matrices; nil: each keeps its own.
    /// - Throws: ``PatchError/merge(patch:place:reason:)``, ``ConversionError``, and what laying them on throws.
    public init(
        _ stack: PatchStack, into model: Model, _ files: ModelFiles, name: String, to type: DType? = nil,
        at path: String, replacing replaces: Bool = false, cache: (any DigestCache)? = nil
    ) throws {
        var edits = try MergeEdits(model, files)
        try edits.add(stack)
        let digests = try ModelDigests(files, cache: cache)
        let before = try files.mergeRecord()
        var weights = before?.weights ?? [:]
        for target in Set(stack.layers.flatMap(\.patch.touchedWeights)) where weights[target] == nil {
            weights[target] = try digests.digest(of: target)
        }
        let record = MergeRecord(
            baseName: before?.baseName ?? name, base: before?.base ?? digests.structure, weights: weights,
            patches: (before?.patches ?? [])
                + stack.requirements.map {
                    .init(name: $0.name, fingerprint: $0.fingerprint, scale: $0.scale)
                })
        conversion = try ModelConversion(
            files, to: type, at: path, replacing: replaces, edits: edits.edits, record: record)
    }

    /// Bytes of the source's tensors, which progress is counted in.
    public var sourceBytes: Int { conversion.sourceBytes }

    /// - Throws: ``WriteError``, ``WeightError``, ``FormatError``, `CancellationError`.
    public func write(
        pool: WorkerPool? = nil, progress: @escaping (_ bytes: Int) -> Void = { _ in }
    ) throws -> ModelConversion.Result {
        try conversion.write(pool: pool, progress: progress)
    }
}

/// What each tensor of a model's files gets from patches.
private struct MergeEdits {
    private(set) var edits: [String: WeightEdit] = [:]
    private let model: Model
    private let loader: WeightLoader
    private var configuration: ModelConfiguration { model.configuration }

    init(_ model: Model, _ files: ModelFiles) throws {
        self.model = model
        loader = WeightLoader(
            source: files.tensors, configuration: model.configuration, computeType: nil, file: files.path,
            isGGUF: files.layout == .gguf)
    }

    mutating func add(_ stack: PatchStack) throws {
        var overlay = try stack.overlay(for: configuration).overlay
        overlay.changes = []
        overlay.prefix = nil
        overlay.patches = []
        for piece in stack.pieces where piece.scale != 0 {
            for change in piece.changes { try check(change, piece) }
        }
        let laid = overlay.isEmpty ? model : try model.laying(overlay)
        let attention: Set<WeightRole> = [.query, .key, .value, .queryKeyValue]
        for (target, deltas) in overlay.weights where !attention.contains(target.role) {
            try add(deltas, target)
        }
        for (layer, block) in laid.transformer.stack.blocks.enumerated() {
            let roles: [WeightRole] =
                block.projections.count == 1 ? [.queryKeyValue] : [.query, .key, .value]
            for (role, projection) in zip(roles, block.projections) {
                try add(projection.deltas, WeightTarget(role, layer: layer))
            }
        }
        for (target, deltas) in overlay.norms {
            for delta in deltas {
                if let weight = delta.weight { try add(weight, delta.scale, target, part: "weight") }
                if let bias = delta.bias { try add(bias, delta.scale, target, part: "bias") }
            }
        }
        for (target, deltas) in overlay.tables { try add(deltas, target) }
        for piece in stack.pieces where piece.scale != 0 {
            for change in piece.changes { try addSite(change, piece) }
        }
    }

    private func refuse(_ change: Patch.Change, _ piece: PatchStack.Piece, _ reason: String) -> PatchError {
        .merge(patch: piece.name, place: "\(change.kind.rawValue) at \(change.place)", reason: reason)
    }

    /// What no model file can hold.
    private func check(_ change: Patch.Change, _ piece: PatchStack.Piece) throws {
        switch change {
        case .lowRank(let delta): try checkUse(delta.target, change, piece)
        case .dense(let delta): try checkUse(delta.target, change, piece)
        case .rows(let delta): try checkUse(delta.target, change, piece)
        case .columns(let delta): try checkUse(delta.target, change, piece)
        case .tableRows(let delta): try checkUse(delta.target, change, piece)
        case .tableLowRank(let delta): try checkUse(delta.target, change, piece)
        case .bias, .norm, .addition, .mask, .logitBias: break
        case .operation: throw refuse(change, piece, "it works on activations")
        case .adapter: throw refuse(change, piece, "it adds an activation function")
        case .prefix: throw refuse(change, piece, "it stands before every text")
        case .labelPrior: throw refuse(change, piece, "it belongs to classification, not to a pass")
        }
    }

    /// A matrix that is table and output at once cannot be changed in one of its uses.
    private func checkUse(_ target: WeightTarget, _ change: Patch.Change, _ piece: PatchStack.Piece) throws {
        let isTied = configuration.output == .vocabulary && loader.tensorName(.head) == nil
        guard isTied, target.role == .head || target.role == .tokenEmbedding else { return }
        throw refuse(
            change, piece, "the token embedding is the output matrix, too, and only one use is changed")
    }

    private mutating func add(_ deltas: [WeightDelta], _ target: WeightTarget) throws {
        for delta in deltas {
            if let bias = delta.bias {
                var values = bias.values
                if let outputs = delta.outputs, let name = biasName(target) {
                    let count = loader.source.entry(named: name)?.count ?? 0
                    var placed = [Float](repeating: 0, count: count)
                    for (index, place) in outputs.enumerated() where place < count {
                        placed[place] = values[index]
                    }
                    values = placed
                }
                try add(values, delta.scale, target, part: "bias")
            } else {
                guard let name = loader.tensorName(target.role, layer: target.layer) else {
                    throw PatchError.merge(
                        patch: "", place: "\(target)", reason: "the files have no such weight")
                }
                try edits[name, default: WeightEdit()].add(delta)
            }
        }
    }

    private func biasName(_ target: WeightTarget) -> String? {
        loader.tensorName(target.role, layer: target.layer, part: "bias")
            ?? (target.role == .head ? loader.tensorName(.headBias, part: "bias") : nil)
    }

    private mutating func add(
        _ values: [Float], _ scale: Float, _ target: WeightTarget, part: String
    ) throws {
        let name =
            part == "bias"
            ? biasName(target) : loader.tensorName(target.role, layer: target.layer, part: part)
        guard let name else {
            throw PatchError.merge(
                patch: "in the stack", place: "the \(part) of \(target)",
                reason: "the model's files have none")
        }
        edits[name, default: WeightEdit()].add(values, scale: scale)
    }

    private mutating func add(_ deltas: [TableDelta], _ target: WeightTarget) throws {
        guard let name = loader.tensorName(target.role) else { return }
        for delta in deltas {
            switch delta {
            case .rows(let vectors, let scale):
                let rows = vectors.keys.sorted()
                let values = rows.flatMap { vectors[$0] ?? [] }
                let columns = rows.isEmpty ? 0 : values.count / rows.count
                let matrix = try Linear(Tensor(values, shape: [rows.count, columns]))
                try edits[name, default: WeightEdit()].add(
                    WeightDelta(factors: [matrix], outputs: rows, scale: scale))
            case .lowRank(let down, let up, let rank, let scale):
                // Vectors of the table are its rows: row t is up · down[:, t].
                let (rows, width) = (down.count / rank, up.count / rank)
                let first = try Tensor(up, shape: [width, rank]).transposed()
                let second = try Tensor(down, shape: [rank, rows]).transposed()
                try edits[name, default: WeightEdit()].add(
                    WeightDelta(factors: [Linear(first), Linear(second)], scale: scale))
            }
        }
    }

    // MARK: Sites

    private mutating func addSite(_ change: Patch.Change, _ piece: PatchStack.Piece) throws {
        switch change {
        case .addition(let addition):
            guard addition.positions == .all, addition.firstPosition == nil else {
                throw refuse(change, piece, "it depends on positions")
            }
            guard addition.part == .all, let layer = addition.site.layer else {
                throw refuse(change, piece, "no bias stands there")
            }
            guard let target = biasTarget(addition.site.kind, layer: layer) else {
                throw refuse(change, piece, "no bias of this model does the same")
            }
            try add(try addition.values.floats(), addition.scale * piece.scale, target, part: "bias")
        case .mask(let mask):
            guard mask.positions == .all else { throw refuse(change, piece, "it depends on positions") }
            guard let layer = mask.site.layer, mask.site.kind == .heads || mask.site.kind == .mlpHidden else {
                throw refuse(change, piece, "no matrix reads only that")
            }
            let role: WeightRole = mask.site.kind == .heads ? .attentionOutput : .down
            guard let name = loader.tensorName(role, layer: layer) else { return }
            let width = mask.isByHeads ? configuration.headWidth : 1
            for (index, factor) in mask.factors(piece.scale).enumerated() where factor != 1 {
                for input in index * width..<(index + 1) * width {
                    edits[name, default: WeightEdit()].scale(input: input, by: factor)
                }
            }
        case .logitBias(let bias):
            guard configuration.logitScale == 1, biasName(.init(.head)) != nil else {
                throw refuse(change, piece, "the output matrix has no bias")
            }
            var values = [Float](repeating: 0, count: bias.vocabulary)
            for (token, value) in zip(bias.tokens, try bias.values.floats()) { values[token] = value }
            try add(values, bias.scale * piece.scale, .init(.head), part: "bias")
        default: break
        }
    }

    /// The bias that is added where a site is.
    private func biasTarget(_ kind: Site.Kind, layer: Int) -> WeightTarget? {
        let down = WeightTarget(.down, layer: layer)
        let attention = WeightTarget(.attentionOutput, layer: layer)
        let isParallel = configuration.block == .parallel || configuration.block == .parallelSharedNorm
        let candidates: [WeightTarget]
        switch kind {
        case .mlpOutput: candidates = [down]
        case .attentionOutput: candidates = isParallel ? [attention, down] : [attention]
        // After a norm nothing is a bias of a matrix.
        case .output: candidates = configuration.block == .normsAfter ? [] : [down]
        default: candidates = []
        }
        return candidates.first { biasName($0) != nil }
    }
}

extension MergeRecord {
    /// Whether a model is the base of the merged one.
    /// - Throws: ``PatchError/base(patch:expected:found:weight:)``, ``FormatError``, `MemoryError`.
    public func check(_ files: ModelFiles, cache: (any DigestCache)? = nil) throws {
        let digests = try ModelDigests(files, cache: cache)
        var found: [WeightTarget: Digest] = [:]
        for target in weights.keys { found[target] = try digests.digest(of: target) }
        let family = digests.configuration.family.name
        let expected = PatchBase(family: family, structure: base, weights: weights).fingerprint
        let own = PatchBase(family: family, structure: digests.structure, weights: found).fingerprint
        guard expected == own else {
            let weight = weights.keys.sorted { "\($0)" < "\($1)" }.first { found[$0] != weights[$0] }
            throw PatchError.base(
                patch: patches.map(\.name).joined(separator: ", "), expected: expected, found: own,
                weight: digests.structure == base ? weight : nil)
        }
    }
}
