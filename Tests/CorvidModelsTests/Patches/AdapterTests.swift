import CorvidTensors
import CorvidText
import Foundation
import TestSupport
import Testing

@testable import CorvidModels

/// Other programs' adapters, read and written.
@Suite struct AdapterTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let all = ((try? FileManager.default.contentsOfDirectory(atPath: Fixtures.path("Adapters"))) ?? [])
        .sorted()
    private static let products = all.filter { !$0.hasSuffix("-prefix") }

    private struct Golden {
        let path: String
        let model: Model
        let ids: [Int32]
        let logits: [Float]

        init(_ name: String) throws {
            path = Fixtures.path("Adapters/\(name)")
            let file = try SafetensorsFile(path: path + "/golden.safetensors")
            let base = try #require(file.metadata["model"])
            model = try Model.load(
                path: Fixtures.path("Models/\(base)"), options: LoadOptions(threads: 1, computeType: .f32))
            let stored = try #require(try file.tensor(named: "ids"))
            ids = (0..<stored.count).map { stored.bytes.integer(at: $0 * 4, as: Int32.self) ?? -1 }
            logits = try #require(try file.tensor(named: "logits")).floats()
        }

        func logits(_ model: Model) throws -> [Float] {
            let rows = ids.enumerated().map {
                Batch<KeyValueCache>.Row(token: $1, sequence: 0, position: $0, wantsLogits: true)
            }
            let values = try model.logitsBlocking(for: Batch(rows: rows, caches: [model.makeCache()]))
            return (0..<values.rowCount).flatMap { Array(values.row($0)) }
        }

        func logits(with path: String) throws -> [Float] {
            try logits(model.applying([.init(Patch.open(path, for: model))]).model)
        }
    }

    private func expectClose(
        _ found: [Float], _ expected: [Float], _ bound: Float = 1e-4,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(found.count == expected.count, sourceLocation: sourceLocation)
        let range = (expected.max() ?? 0) - (expected.min() ?? 0)
        let difference = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
        #expect(difference <= bound * range, "\(difference) of \(range)", sourceLocation: sourceLocation)
    }

    @Test("a model with a PEFT adapter gives PEFT's logits", arguments: all)
    func peft(name: String) throws {
        let golden = try Golden(name)
        let plain = try golden.logits(golden.model)
        let found = try golden.logits(with: golden.path)
        #expect(found != plain)
        expectClose(found, golden.logits)
    }

    @Test("there are adapters of four families and of prefix tuning") func families() {
        #expect(Self.all.count >= 11)
        for name in ["gptj", "gpt2", "llama", "gpt-neox", "gptj-prefix"] { #expect(Self.all.contains(name)) }
    }
}
