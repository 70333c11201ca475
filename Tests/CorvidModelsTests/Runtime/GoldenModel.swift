import CorvidModels
import CorvidTensors
import Foundation
import TestSupport

/// A tiny model with the logits that the reference computes for it in float64.
struct GoldenModel {
    let name: String
    let ids: [Int32]
    /// `[T, V]`
    let logits: [[Float]]

    /// Empty only if the fixtures are gone, which `ReferenceTests` notices.
    static let all = ((try? FileManager.default.contentsOfDirectory(atPath: Fixtures.path("Models"))) ?? [])
        .sorted()

    init(_ name: String) throws {
        self.name = name
        let file = try SafetensorsFile(path: Fixtures.path("Models/\(name)/golden.safetensors"))
        guard let ids = try file.tensor(named: "ids"), let logits = try file.tensor(named: "logits") else {
            throw CocoaError(.fileReadCorruptFile)
        }
        self.ids = (0..<ids.count).map { ids.bytes.integer(at: $0 * 4, as: Int32.self) ?? -1 }
        let values = try logits.floats()
        self.logits = (0..<logits.rows).map { Array(values[$0 * logits.columns..<($0 + 1) * logits.columns]) }
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
    ///
    /// The other sequences run the same tokens from other starting points, so that rows differ.
    func logits(_ model: Model, _ ids: [Int32]) throws -> [[Float]] {
        let sequences = (0..<batch).map { index -> [Int32] in
            let shift = (batch - 1 - index) % ids.count
            return Array(ids[shift...]) + Array(ids[..<shift])
        }
        var caches = try sequences.map { _ in try model.makeCache() }
        var result: [[Float]] = []
        var start = 0
        while start < ids.count {
            let end = chunk == Int.max ? ids.count : min(ids.count, start + chunk)
            if !usesCache { caches = try sequences.map { _ in try model.makeCache() } }
            let first = usesCache ? start : 0
            var rows: [Batch<KeyValueCache>.Row] = []
            for (index, sequence) in sequences.enumerated() {
                for position in first..<end {
                    let wants = index == batch - 1 && position >= start
                    rows.append(
                        .init(
                            token: sequence[position], sequence: index, position: position, wantsLogits: wants
                        ))
                }
            }
            let logits = try model.logitsBlocking(for: Batch(rows: rows, caches: caches))
            result += (0..<logits.rowCount).map { Array(logits.row($0)) }
            start = end
        }
        return result
    }
}
