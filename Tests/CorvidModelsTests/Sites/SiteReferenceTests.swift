import CorvidModels
import CorvidTensors
import Foundation
import TestSupport
import Testing

/// What stands at sites against forward hooks on the reference implementation, in float64.
@Suite struct SiteReferenceTests {
    static let names = GoldenModel.all.filter {
        FileManager.default.fileExists(atPath: Fixtures.path("Models/\($0)/sites.safetensors"))
    }

    @Test("ten families and an encoder have recorded sites") func families() throws {
        let families = try Set(Self.names.map { try GoldenModel($0).load().configuration.family.name })
        #expect(families.count >= 11)
        #expect(families.isSuperset(of: ["gptj", "gpt2", "gpt-neox", "llama", "bloom", "bert"]))
    }

    /// A golden model with the tensors that were recorded of it.
    private struct Recorded {
        let golden: GoldenModel
        let model: Model
        let tensors: SafetensorsFile
        let positions: [Int]

        init(_ name: String) throws {
            golden = try GoldenModel(name)
            model = try golden.load()
            tensors = try SafetensorsFile(path: Fixtures.path("Models/\(name)/sites.safetensors"))
            let list = try #require(try tensors.tensor(named: "positions"))
            positions = (0..<list.count).map { Int(list.bytes.integer(at: $0 * 4, as: Int32.self) ?? -1) }
        }

        func values(_ name: String) throws -> [Float]? { try tensors.tensor(named: name)?.floats() }

        func run(_ plan: SitePlan) throws -> SiteRun {
            try model.runBlocking(plan, try SiteTests.batch(golden, model), for: golden.outputs[0].output)
        }
    }

    /// The greatest difference, in parts of the reference's range.
    private func difference(_ found: [Float], _ expected: [Float]) -> Float {
        guard found.count == expected.count, let most = expected.map(abs).max() else { return .infinity }
        return zip(found, expected).map { abs($0 - $1) }.max().map { $0 / max(most, 1e-6) } ?? .infinity
    }

    @Test("every site holds what the reference has there, to 1e-5 of its range", arguments: names)
    func readings(name: String) throws {
        let recorded = try Recorded(name)
        let sites = SiteTests.sites(recorded.model.configuration).filter { $0.kind != .logits }
        let ranges = Positions(recorded.positions.map { $0..<$0 + 1 })
        let run = try recorded.run(SitePlan(readings: sites.map { SiteReading($0, positions: ranges) }))
        var compared = 0
        for (site, rows) in zip(sites, run.readings) {
            guard let expected = try recorded.values(site.description) else { continue }
            #expect(difference(rows.values, expected) <= 1e-5, "\(site)")
            compared += 1
        }
        // All but rotated queries and keys, and what lies outside the blocks.
        #expect(compared >= recorded.model.configuration.layers * 12)
    }

    @Test("a change at a site changes the output as a hook on the reference does", arguments: names)
    func changes(name: String) throws {
        let recorded = try Recorded(name)
        let configuration = recorded.model.configuration
        let vector = try #require(try recorded.values("changed.vector"))
        let head = min(1, configuration.heads - 1)
        let changes: [(String, SiteChange)] = [
            ("add", SiteChange(.add(SiteTensor(vector)), at: Site(.mlpOutput, layer: 1))),
            ("head", SiteChange(.scale(0), at: Site(.heads, layer: 0), part: .heads([head]))),
            (
                "pattern",
                SiteChange(
                    .closure { rows in
                        let keys = rows.columns / (rows.heads ?? 1)
                        for row in 0..<rows.count {
                            var values = rows[row]
                            for key in 0..<keys {
                                values[values.startIndex + key] = key == rows.places[row].position ? 1 : 0
                            }
                            rows[row] = values
                        }
                    }, at: Site(.pattern, layer: 1))
            ),
        ]
        for (kind, change) in changes {
            let expected = try #require(try recorded.values("changed.\(kind)"))
            let output = try recorded.run(SitePlan(changes: [change])).output
            let found = recorded.positions.flatMap { Array(output.row($0)) }
            #expect(difference(found, expected) <= 1e-4, "\(kind)")
        }
    }
}
