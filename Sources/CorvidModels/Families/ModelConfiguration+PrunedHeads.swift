import CorvidText

/// Models that were written without some of their heads.
///
/// Heads keep the numbers which they had before any were removed in ``prunedHeads``, as in the `config.json`
/// that transformers 4 wrote; everywhere else a block's heads are counted from 0 as they are.
extension ModelConfiguration {
    /// Query heads of a block.
    public func heads(layer: Int) -> Int { heads - (prunedHeads[layer]?.count ?? 0) }

    /// Key-value heads of a block: those which some query head still reads.
    public func keyValueHeads(layer: Int) -> Int {
        prunedHeads[layer] == nil ? keyValueHeads : Set(keptHeads(layer: layer).map { $0 / headGroup }).count
    }

    /// The old numbers of a block's heads.
    public func keptHeads(layer: Int) -> [Int] {
        let pruned = Set(prunedHeads[layer] ?? [])
        return (0..<heads).filter { !pruned.contains($0) }
    }

    /// Query heads that share one of keys and values, before any are removed.
    var headGroup: Int { heads / keyValueHeads }

    /// Why a model of this configuration must have all of its heads; nil if some can be removed.
    public var needsAllHeads: String? {
        if !family.encoder.isEmpty || isEncoderAlone { return "its two stacks share their number of heads" }
        if distanceBuckets != nil { return "its biases of distances belong to all heads" }
        if hasQueryKeyNorm { return "its queries and keys are normalised over all heads" }
        if case .slices = family.fusedOrder { return "its heads lie in slices of one matrix" }
        return nil
    }

    /// Reads `pruned_heads`, `{"layer": [head, ...]}`.
    /// - Throws: ``ConfigurationError`` for heads that the model cannot have lost.
    mutating func readPrunedHeads(_ json: JSON, file: String) throws {
        let key = "pruned_heads"
        guard let value = json[key], !value.isNull else { return }
        func fault(_ found: String, _ expected: String) -> ConfigurationError {
            .setting(file: file, key: key, found: found, expected: expected)
        }
        guard let object = value.object else {
            throw fault(value.kindName, "an object with a list of heads under the number of each layer")
        }
        var pruned: [Int: [Int]] = [:]
        for (name, list) in object {
            guard let layer = Int(name), (0..<layers).contains(layer), pruned[layer] == nil else {
                throw fault("layer \(FormatError.shown(name))", "layers 0 to \(layers - 1)")
            }
            let found = (list.array ?? []).map { $0.int }
            let numbers = Set(found.compactMap { $0 }.filter { (0..<heads).contains($0) })
            guard list.array != nil, numbers.count == found.count else {
                throw fault("\(list.kindName) for layer \(layer)", "heads 0 to \(heads - 1), each once")
            }
            if !numbers.isEmpty { pruned[layer] = numbers.sorted() }
        }
        guard !pruned.isEmpty else { return }
        if let reason = needsAllHeads {
            throw fault("heads of \(pruned.count) layers", "none: \(reason)")
        }
        prunedHeads = pruned
        for layer in pruned.keys.sorted()
        where heads(layer: layer) % max(1, keyValueHeads(layer: layer)) != 0
            || !isRegular(layer: layer)
        {
            throw fault(
                "\(pruned[layer] ?? []) for layer \(layer)",
                "heads such that the key-value heads that stay are shared by equally many")
        }
    }

    /// Whether each key-value head that stays is read by equally many query heads.
    private func isRegular(layer: Int) -> Bool {
        var counts: [Int: Int] = [:]
        for head in keptHeads(layer: layer) { counts[head / headGroup, default: 0] += 1 }
        return Set(counts.values).count <= 1
    }
}
