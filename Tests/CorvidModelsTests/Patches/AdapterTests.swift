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

    @Test("what is exported is read again as the same", arguments: PatchExportFormat.allCases, products)
    func exports(format: PatchExportFormat, name: String) throws {
        let golden = try Golden(name)
        let patch = try Patch.open(golden.path, for: golden.model)
        let place = folder.path(of: format == .gguf ? "out.gguf" : "out")
        let c = golden.model.configuration
        let onlyFactors = patch.changes.allSatisfy { [.lowRank, .tableLowRank].contains($0.kind) }
        guard onlyFactors else {
            #expect(throws: AdapterError.self) {
                try PatchExport(patch, for: c, as: format).write(to: place)
            }
            return
        }
        try PatchExport(patch, for: c, as: format).write(to: place)
        expectClose(try golden.logits(with: place), golden.logits)
        #expect(try folder.names().count == 1)
    }

    @Test("control vectors are read and written; other additions are refused") func controlVectors() throws {
        let model = try PatchSubject("gptj").model
        let width = model.configuration.width
        let vector = (0..<width).map { Float($0) / 8 }
        func patch(_ change: SiteAddition) throws -> Patch {
            try Patch(PatchHeader(name: "v", method: "m"), [.addition(change)])
        }
        let path = folder.path(of: "v.gguf")
        let right = try patch(SiteAddition(vector, at: .output(of: 1), scale: 2))
        try PatchExport(right, for: model.configuration, as: .gguf).write(to: path)
        let file = try GGUFFile(path: path)
        #expect(file.names == ["direction.1"])
        #expect(try file.string("general.architecture") == "controlvector")
        #expect(try file.integer("controlvector.layer_count") == 1)
        let read = try Patch.open(path, for: model)
        guard case .addition(let addition) = read.changes[0] else {
            Issue.record("\(read.changes[0].kind)")
            return
        }
        #expect(try addition.values.floats() == vector.map { 2 * $0 })
        for wrong in [
            try SiteAddition(vector, at: .output(of: 0)),
            try SiteAddition(vector, at: Site(.mlpOutput, layer: 1)),
            try SiteAddition(vector, at: .output(of: 1), positions: .generated),
        ] {
            #expect(throws: AdapterError.self) {
                try PatchExport(patch(wrong), for: model.configuration, as: .gguf).write(to: path)
            }
        }
    }

    @Test(
        "a field of adapter_config.json that changes the arithmetic is refused by its name",
        arguments: [
            ("use_dora", "true"), ("peft_type", "\"IA3\""), ("init_lora_weights", "\"pissa\""),
            ("layer_replication", "[[0, 2]]"), ("trainable_token_indices", "[1, 2]"), ("use_qalora", "true"),
            ("something_new", "0.5"), ("rank_pattern", "{\"(a+)+\": 2}"), ("r", "5"),
            ("bias", "\"some\""),
        ])
    func fields(name: String, value: String) throws {
        let golden = try Golden("gptj")
        var config = try #require(
            try JSON.parse(Fixtures.bytes("Adapters/gptj/adapter_config.json")).object)
        guard let parsed = try? JSON.parse(value) else { return }
        config[name] = parsed
        try folder.write(JSON.object(config).encodedBytes(), to: "adapter_config.json")
        try folder.write(
            Fixtures.bytes("Adapters/gptj/adapter_model.safetensors"), to: "adapter_model.safetensors")
        let error = try #require(throws: AdapterError.self) { try Patch.open(folder.path, for: golden.model) }
        #expect(error.description.contains(name == "r" ? "rank" : name), "\(error)")
    }

    @Test("adapters of another model and folders without their files are refused") func wrong() throws {
        let golden = try Golden("gptj")
        #expect(throws: AdapterError.self) {
            try Patch.open(Fixtures.path("Adapters/llama"), for: golden.model)
        }
        #expect(throws: PatchFileError.notPatch(file: folder.path)) {
            try Patch.open(folder.path, for: golden.model)
        }
        try folder.write(Fixtures.bytes("Adapters/gptj/adapter_config.json"), to: "adapter_config.json")
        #expect(throws: AdapterError.self) { try Patch.open(folder.path, for: golden.model) }
        #expect(throws: PatchFileError.self) {
            try Patch.open(Fixtures.path("Models/gguf-f32/model.gguf"), for: golden.model)
        }
        #expect(throws: PatchFileError.self) {
            try Patch.open(Fixtures.path("Models/gptj/model.safetensors"), for: golden.model)
        }
        #expect(throws: CheckpointError.self) {
            try Patch.open(folder.path(of: "nothing"), for: golden.model)
        }
    }
}
