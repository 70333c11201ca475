import CorvidModels
import CorvidTensors
import Foundation

/// Runs texts without and with steering and compares the predictions.
///
/// Blocks below the first one that is steered run once for all variants: their residuals are recorded, and each
/// variant's pass begins there. Variants that begin at one block run side by side.
public struct SteeringMeter: Sendable {
    public let model: Model
    /// Tokens whose probability is followed; none for no such figures.
    public var aligned: Set<Int32> = []
    /// Whether log-probabilities are kept by token.
    public var keepsShifts = false
    /// Most rows of a pass.
    var passRows = 768
    /// Most logits of a pass: 100 MB.
    var passLogits = 25_000_000

    public init(_ model: Model) { self.model = model }

    /// - Parameters:
    ///   - texts: token ids, each with the token of the beginning.
    ///   - variants: vectors that are laid on together, for each variant.
    ///   - progress: is called with the tokens that are done and all of them, each counted for each variant.
    /// - Returns: the effect of each variant.
    /// - Throws: ``SteeringError/width(_:found:expected:)``, ``SteeringError/layer(_:layers:)``; what the model
    ///   throws, among it `SiteError` for values that are no numbers.
    public func effects(
        of variants: [[SteeringVector]], on texts: [[Int32]],
        progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> [TextEffect] {
        guard model.continuesText else { throw GenerationError.continuesNoText }
        for vector in variants.joined() { try vector.check(model.configuration) }
        var effects = [TextEffect](repeating: TextEffect(), count: variants.count)
        if !aligned.isEmpty {
            for index in effects.indices { effects[index].aligned = AlignedEffect() }
        }
        // Of texts with one row there is nothing to predict.
        let usable = texts.indices.filter { texts[$0].count > 1 }
        let total = usable.reduce(0) { $0 + texts[$1].count } * (variants.count + 1)
        var done = 0
        var next = 0
        let most = max(1, min(passRows, passLogits / max(1, model.vocabularySize)))
        while next < usable.count {
            var part = [usable[next]]
            var rows = texts[usable[next]].count
            next += 1
            // Half a pass: base logits stay while the variants run.
            while next < usable.count, rows + texts[usable[next]].count <= max(1, most / 2) {
                rows += texts[usable[next]].count
                part.append(usable[next])
                next += 1
            }
            let chunk = try await Chunk(part.map { ($0, texts[$0]) }, variants, model)
            done += rows
            progress(done, total)
            for group in groups(variants, each: rows, most: most) {
                try Task.checkCancellation()
                try await run(chunk, group, variants, into: &effects)
                done += rows * group.count
                progress(done, total)
            }
        }
        return effects
    }

    /// Variants that run in one pass: they begin at one block, and their rows fit.
    private func groups(_ variants: [[SteeringVector]], each rows: Int, most: Int) -> [[Int]] {
        let side = max(1, most / max(1, rows))
        var groups: [[Int]] = []
        for (index, variant) in variants.enumerated() {
            if let last = groups.last, last.count < side,
                Chunk.start(variants[last[0]]) == Chunk.start(variant)
            {
                groups[groups.count - 1].append(index)
            } else {
                groups.append([index])
            }
        }
        return groups
    }

    private func run(
        _ chunk: Chunk, _ group: [Int], _ variants: [[SteeringVector]], into effects: inout [TextEffect]
    ) async throws {
        var batch = Batch<KeyValueCache>(rows: [], caches: [])
        var plan = SitePlan()
        /// Row of the text in the base's logits, and whether it counts, for each row of logits.
        var wanted: [(variant: Int, text: Int, position: Int)] = []
        for variant in group {
            for (text, entry) in chunk.texts.enumerated() {
                let sequence = batch.caches.count
                batch.caches.append(try model.makeCache())
                let vectors = variants[variant]
                // A text that is shorter than the vector has nothing to be scored.
                let fits = vectors.allSatisfy { !$0.place.isByPosition || $0.count < entry.ids.count }
                let touched =
                    fits ? try vectors.map { try $0.touched(entry.ids.count) } : [0..<entry.ids.count]
                if fits {
                    plan.changes += try vectors.map {
                        try $0.change(prompt: entry.ids.count, sequence: sequence)
                    }
                }
                for (position, id) in entry.ids.enumerated() {
                    let counts =
                        position + 1 < entry.ids.count && !touched.contains { $0.contains(position) }
                    batch.rows.append(
                        .init(token: id, sequence: sequence, position: position, wantsLogits: counts))
                    if counts { wanted.append((variant, text, position)) }
                }
            }
        }
        guard !wanted.isEmpty else { return }
        let start = Chunk.start(variants[group[0]])
        if start > 0 {
            let residual = chunk.residuals[start] ?? []
            plan.start = ResumePoint(layer: start, residual: group.flatMap { _ in residual })
        }
        let run = try await model.run(plan, batch)
        var sums: [Int: [Int: (count: Int, base: Double, steered: Double)]] = [:]
        for (row, place) in wanted.enumerated() {
            let entry = chunk.texts[place.text]
            let comparison = try chunk.comparison(
                place.text, position: place.position, with: run.output.row(row))
            let target = entry.ids[place.position + 1]
            let (base, steered) = comparison.logProbabilities(of: target)
            sums[place.variant, default: [:]][place.text, default: (0, 0, 0)].count += 1
            sums[place.variant, default: [:]][place.text, default: (0, 0, 0)].base += base
            sums[place.variant, default: [:]][place.text, default: (0, 0, 0)].steered += steered
            effects[place.variant].tokens += 1
            effects[place.variant].divergence += comparison.divergence
            if keepsShifts {
                effects[place.variant].shifts[target, default: (0, 0)].count += 1
                effects[place.variant].shifts[target, default: (0, 0)].sum += steered - base
            }
            effects[place.variant].aligned?.add(comparison, tokens: aligned)
        }
        for variant in group {
            for (text, entry) in chunk.texts.enumerated() {
                guard let sum = sums[variant]?[text] else { continue }
                effects[variant].texts.append(
                    (sum.base / Double(sum.count), sum.steered / Double(sum.count)))
                effects[variant].indices.append(entry.index)
            }
        }
    }
}

extension SteeringVector {
    /// Rows of a text that are not to be scored: those that the vector is laid over one by one.
    func touched(_ tokens: Int) throws -> Range<Int> {
        guard place.isByPosition, let range = try positions(prompt: tokens).ranges.first else { return 0..<0 }
        return range
    }
}

/// Some texts as the model has them without steering.
private struct Chunk {
    let texts: [(index: Int, ids: [Int32])]
    /// The residual before a block, for each block where a variant begins, `[rows, width]`.
    private(set) var residuals: [Int: [Float]] = [:]
    private let logits: RowValues
    /// Where each text's rows begin in the logits.
    private let starts: [Int]
    private let sums: [Double]
    /// Row after row.
    private let probabilities: [[Float]]

    /// The block at which passes with these vectors begin.
    static func start(_ vectors: [SteeringVector]) -> Int {
        vectors.compactMap(\.site.layer).min() ?? 0
    }

    init(_ texts: [(index: Int, ids: [Int32])], _ variants: [[SteeringVector]], _ model: Model) async throws {
        self.texts = texts
        var batch = Batch<KeyValueCache>(rows: [], caches: [])
        var starts: [Int] = []
        var rows = 0
        for (sequence, entry) in texts.enumerated() {
            batch.caches.append(try model.makeCache())
            starts.append(rows)
            rows += entry.ids.count - 1
            for (position, id) in entry.ids.enumerated() {
                batch.rows.append(
                    .init(
                        token: id, sequence: sequence, position: position,
                        wantsLogits: position + 1 < entry.ids.count))
            }
        }
        self.starts = starts
        let layers = Set(variants.map(Self.start)).filter { $0 > 0 }.sorted()
        let plan = SitePlan(readings: layers.map { SiteReading(.input(of: $0)) })
        let run = try await model.run(plan, batch)
        for (layer, reading) in zip(layers, run.readings) { residuals[layer] = reading.values }
        logits = run.output
        var sums: [Double] = []
        var probabilities: [[Float]] = []
        for row in 0..<rows {
            let values = run.output.row(row)
            let sum = Elementwise.logSumExp(values)
            guard sum.isFinite else { throw GenerationError.notFinite(position: row) }
            sums.append(sum)
            probabilities.append(values.map { exp($0 - Float(sum)) })
        }
        self.sums = sums
        self.probabilities = probabilities
    }

    func comparison(
        _ text: Int, position: Int, with steered: ArraySlice<Float>
    ) throws -> RowComparison {
        let row = starts[text] + position
        let sum = Elementwise.logSumExp(steered)
        guard sum.isFinite else { throw GenerationError.notFinite(position: position) }
        return RowComparison(
            base: logits.row(row), steered: steered, baseSum: sums[row], steeredSum: sum,
            probabilities: probabilities[row])
    }
}
