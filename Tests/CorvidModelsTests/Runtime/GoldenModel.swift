import CorvidModels
import CorvidTensors
import Foundation
import TestSupport

/// A tiny model with what the reference computes for it in float64.
struct GoldenModel {
    let name: String
    let ids: [Int32]
    /// Types of the tokens; all 0 unless the golden file has them.
    let types: [Int]
    /// The text that an encoder-decoder answers to.
    let source: [Int32]?
    /// Row after row. `states` and `logits` have a row for each token, `pooled` and `labels` have one.
    let outputs: [(output: ModelOutput, rows: [[Float]])]

    /// `[T, V]`; empty if the model gives none.
    var logits: [[Float]] { outputs.first { $0.output == .logits }?.rows ?? [] }

    /// Empty only if the fixtures are gone, which `ReferenceTests` notices.
    static let all = ((try? FileManager.default.contentsOfDirectory(atPath: Fixtures.path("Models"))) ?? [])
        .sorted()

    init(_ name: String) throws {
        self.name = name
        let file = try SafetensorsFile(path: Fixtures.path("Models/\(name)/golden.safetensors"))
        func integers(_ name: String) throws -> [Int32]? {
            guard let tensor = try file.tensor(named: name) else { return nil }
            return (0..<tensor.count).map { tensor.bytes.integer(at: $0 * 4, as: Int32.self) ?? -1 }
        }
        guard let ids = try integers("ids") else { throw CocoaError(.fileReadCorruptFile) }
        self.ids = ids
        types = try integers("types")?.map(Int.init) ?? ids.map { _ in 0 }
        source = try integers("source")
        outputs = try ModelOutput.allCases.compactMap { output in
            guard let tensor = try file.tensor(named: output.rawValue) else { return nil }
            let values = try tensor.floats()
            let rows = (0..<tensor.rows).map {
                Array(values[$0 * tensor.columns..<($0 + 1) * tensor.columns])
            }
            return (output, rows)
        }
        guard !outputs.isEmpty else { throw CocoaError(.fileReadCorruptFile) }
    }

    func load(threads: Int = 2, as type: DType? = .f32, cacheType: DType? = nil) throws -> Model {
        try Model.load(
            path: Fixtures.path("Models/\(name)"),
            options: LoadOptions(threads: threads, computeType: type, cacheType: cacheType))
    }
}

/// Ways to run a sequence that must all give the same bits.
struct Schedule: CustomStringConvertible {
    var threads = 1
    /// How many copies of the sequence run side by side.
    var batch = 1
    /// Rows of one pass and sequence.
    var chunk = Int.max
    /// Whether a new pass sees earlier positions through the cache, or runs the whole sequence again.
    var usesCache = true

    var description: String {
        "threads \(threads), batch \(batch), chunk \(chunk == Int.max ? "whole" : "\(chunk)"), cache \(usesCache ? "on" : "off")"
    }

    /// Logits of every position of the last sequence of the batch, `[T, V]`.
    func logits(_ model: Model, _ ids: [Int32]) throws -> [[Float]] {
        try run(model, ids, types: ids.map { _ in 0 }, source: nil, output: .logits)
    }

    /// What a model gives for the last sequence of the batch: a row for each position, or one.
    func run(_ model: Model, _ golden: GoldenModel, _ output: ModelOutput) throws -> [[Float]] {
        try run(model, golden.ids, types: golden.types, source: golden.source, output: output)
    }

    /// The other sequences run the same tokens from other starting points, so that rows differ.
    private func run(
        _ model: Model, _ ids: [Int32], types: [Int], source: [Int32]?, output: ModelOutput
    ) throws -> [[Float]] {
        let shifts = (0..<batch).map { (batch - 1 - $0) % ids.count }
        func makeCaches() throws -> [KeyValueCache] {
            try shifts.map { _ in try source.map(model.makeCacheBlocking) ?? model.makeCache() }
        }
        let wanted: Range<Int>
        switch output {
        case .logits, .states: wanted = ids.indices
        case .pooled: wanted = 0..<1
        case .labels:
            let isLast = model.configuration.output == .labelsAtLast
            wanted = isLast ? ids.count - 1..<ids.count : 0..<1
        }
        var caches = try makeCaches()
        var result: [[Float]] = []
        var start = 0
        while start < ids.count {
            let end = chunk == Int.max ? ids.count : min(ids.count, start + chunk)
            if !usesCache { caches = try makeCaches() }
            let first = usesCache ? start : 0
            var rows: [Batch<KeyValueCache>.Row] = []
            for (index, shift) in shifts.enumerated() {
                for position in first..<end {
                    let wants = index == batch - 1 && position >= start && wanted.contains(position)
                    let place = (position + shift) % ids.count
                    rows.append(
                        .init(
                            token: ids[place], sequence: index, position: position, wantsLogits: wants,
                            tokenType: types[place]))
                }
            }
            let values = try model.outputBlocking(output, for: Batch(rows: rows, caches: caches))
            result += (0..<values.rowCount).map { Array(values.row($0)) }
            start = end
        }
        return result
    }
}
