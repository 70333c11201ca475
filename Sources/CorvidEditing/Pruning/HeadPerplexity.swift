import CorvidModels
import CorvidTensors

/// What each head is worth to a model: its perplexity on a text without that head.
///
/// A head of block l changes nothing below it. So the residual before block l is made once for all heads of it, and
/// each of them costs the blocks from l on; several heads run as one batch, each sequence with a mask of its own.
/// The numbers are those of whole passes, bit for bit: nothing is approximated.
public struct HeadPerplexity: Sendable {
    public let model: Model
    public let windows: TextWindows
    /// Most rows of a pass.
    public let rowsPerPass: Int
    /// Rows of logits that are in memory at one time.
    private static let scoredRows = 128

    /// - Throws: ``PruningError/layout(family:)`` for an encoder.
    public init(_ model: Model, windows: TextWindows, rowsPerPass: Int = 2_048) throws {
        guard model.continuesText else {
            throw PruningError.layout(family: model.configuration.family.name)
        }
        self.model = model
        self.windows = windows
        self.rowsPerPass = rowsPerPass
    }

    /// What a sweep found.
    public struct Outcome: Sendable {
        /// For each window the sum of -log p of the whole model.
        public let whole: [Double]
        /// The same without each head, in the order in which they were asked for.
        public let heads: [(head: HeadIndex, losses: [Double])]
    }

    /// Losses of the whole model and without each of some heads.
    /// - Parameters:
    ///   - heads: nil for all.
    ///   - factor: of a head's output instead of 0.
    ///   - found: called with each head as soon as it is done.
    /// - Throws: what the model throws; `CancellationError`.
    public func sweep(
        _ heads: [HeadIndex]? = nil, factor: Float = 0,
        found: (HeadIndex, [Double]) throws -> Void = { _, _ in },
        progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> Outcome {
        let c = model.configuration
        let heads = heads ?? c.headIndices
        let byLayer = heads.byLayer
        let total = heads.count * windows.windows.count
        var done = 0
        var results: [HeadIndex: [Double]] = [:]
        // The residual of every window, on its way up through the blocks.
        var residuals: [[Float]] = []
        for window in windows.windows {
            residuals.append(try await residual(before: 0, window, from: nil))
        }
        for layer in 0..<c.layers {
            if let list = byLayer[layer] {
                var losses = list.map { _ in [Double]() }
                for (window, residual) in zip(windows.windows, residuals) {
                    let perPass = isPlain ? max(1, rowsPerPass / max(1, window.ids.count)) : 1
                    for first in stride(from: 0, to: list.count, by: perPass) {
                        let some = Array(list[first..<min(first + perPass, list.count)])
                        let changes = some.enumerated().map { sequence, head in
                            SiteChange(
                                .scale(factor), at: Site(.heads, layer: layer), sequence: sequence,
                                part: .heads([head]))
                        }
                        let found = try await self.losses(
                            window, variants: some.count, changes: changes,
                            from: ResumePoint(layer: layer, residual: residual))
                        for (index, loss) in found.enumerated() { losses[first + index].append(loss) }
                        done += some.count
                        progress(done, total)
                    }
                }
                for (head, losses) in zip(list, losses) {
                    let index = HeadIndex(layer: layer, head: head)
                    results[index] = losses
                    try found(index, losses)
                }
            }
            for (index, window) in windows.windows.enumerated() where layer + 1 < c.layers {
                residuals[index] = try await residual(
                    before: layer + 1, window, from: ResumePoint(layer: layer, residual: residuals[index]))
            }
        }
        var whole: [Double] = []
        for (window, residual) in zip(windows.windows, residuals) {
            let start = ResumePoint(layer: c.layers - 1, residual: residual)
            whole += try await losses(window, variants: 1, changes: [], from: start)
        }
        return Outcome(whole: whole, heads: heads.map { ($0, results[$0] ?? []) })
    }

    /// Perplexity of the model with some changes.
    public func perplexity(
        changes: [SiteChange] = [], progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> Double {
        var sums: [Double] = []
        for window in windows.windows {
            sums += try await losses(window, variants: 1, changes: changes, from: nil)
            progress(sums.count, windows.windows.count)
        }
        return windows.perplexity(sums)
    }

    /// How strongly the loss answers to each head's mask: Σ over windows of |dL/dm| at m = 1 by central differences,
    /// divided by the L2 norm over the heads of its layer, then by the greatest of all.
    ///
    /// L is a window's mean of -log p. This stands in for one backward pass, at the price of two sweeps.
    /// - Parameter step: by which the mask is moved to both sides.
    public func sensitivity(
        step: Float = 0.05, progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> [HeadIndex: Double] {
        let total = 2 * model.configuration.headIndices.count * windows.windows.count
        let up = try await sweep(factor: 1 + step, progress: { done, _ in progress(done, total) })
        let down = try await sweep(
            factor: 1 - step, progress: { done, _ in progress(total / 2 + done, total) })
        var raw: [HeadIndex: Double] = [:]
        for (a, b) in zip(up.heads, down.heads) {
            var sum = 0.0
            for (index, window) in windows.windows.enumerated() {
                let slope = (a.losses[index] - b.losses[index]) / (2 * Double(step))
                sum += abs(slope) / Double(max(1, window.targets.count))
            }
            raw[a.head] = sum
        }
        var scaled: [HeadIndex: Double] = [:]
        for (_, heads) in Dictionary(grouping: raw.keys, by: \.layer) {
            let norm = heads.reduce(0) { $0 + (raw[$1] ?? 0) * (raw[$1] ?? 0) }.squareRoot() + 1e-20
            for head in heads { scaled[head] = (raw[head] ?? 0) / norm }
        }
        let greatest = scaled.values.max() ?? 0
        return greatest > 0 ? scaled.mapValues { $0 / greatest } : scaled
    }

    // MARK: Passes

    /// Whether nothing but the final norm and the output follows the blocks, so that logits can be made of recorded
    /// residuals, a few rows at a time.
    private var isPlain: Bool {
        model.configuration.senses == 0
            && !model.changes.contains { [.finalNorm, .logits, .senses].contains($0.site.kind) }
    }

    private func batch(
        _ window: TextWindows.Window, variants: Int, wanted: Range<Int>
    ) throws -> Batch<KeyValueCache> {
        var batch = Batch<KeyValueCache>(rows: [], caches: [])
        for variant in 0..<variants {
            for (position, id) in window.ids.enumerated() {
                batch.rows.append(
                    .init(
                        token: id, sequence: variant, position: position,
                        wantsLogits: wanted.contains(position)))
            }
            batch.caches.append(try model.makeCache())
        }
        return batch
    }

    /// The residual before a block, `[tokens, width]`.
    private func residual(
        before layer: Int, _ window: TextWindows.Window, from start: ResumePoint?
    ) async throws -> [Float] {
        let plan = SitePlan(
            readings: [SiteReading(.input(of: layer))], start: start, endsAfterReadings: true)
        let run = try await model.run(plan, try batch(window, variants: 1, wanted: 0..<0))
        return run.readings.first?.values ?? []
    }

    /// Sums of -log p of a window's targets, one for each variant.
    private func losses(
        _ window: TextWindows.Window, variants: Int, changes: [SiteChange], from start: ResumePoint?
    ) async throws -> [Double] {
        let layers = model.configuration.layers
        let scored = window.firstScored..<window.firstScored + window.targets.count
        var plan = SitePlan(
            changes: changes,
            start: start.map { start in
                ResumePoint(
                    layer: start.layer,
                    residual: Array(repeatElement(start.residual, count: variants).joined()))
            })
        guard isPlain else {
            let run = try await model.run(plan, try batch(window, variants: variants, wanted: scored))
            return (0..<variants).map { variant in
                (0..<scored.count).reduce(0) { sum, row in
                    sum + Self.loss(run.output.row(variant * scored.count + row), window.targets[row])
                }
            }
        }
        plan.endsAfterReadings = true
        plan.readings = [
            SiteReading(.output(of: layers - 1), positions: .range(scored))
        ]
        let run = try await model.run(plan, try batch(window, variants: variants, wanted: 0..<0))
        guard let states = run.readings.first else { return [] }
        var sums = [Double](repeating: 0, count: variants)
        for first in stride(from: 0, to: states.count, by: Self.scoredRows) {
            try Task.checkCancellation()
            let rows = first..<min(first + Self.scoredRows, states.count)
            let values = states.values[rows.lowerBound * states.columns..<rows.upperBound * states.columns]
            let logits = try await model.readOut(Array(values))
            for (index, row) in rows.enumerated() {
                sums[states.places[row].sequence] += Self.loss(
                    logits.row(index), window.targets[row % max(1, scored.count)])
            }
        }
        return sums
    }

    /// -log p, or infinite where the logits are no numbers.
    private static func loss(_ logits: ArraySlice<Float>, _ target: Int32) -> Double {
        let sum = Elementwise.logSumExp(logits)
        let value = sum - Double(logits[logits.startIndex + Int(target)])
        return value.isFinite ? value : .infinity
    }
}
