import CorvidModels
import CorvidTensors
import TestSupport
import Testing

@testable import CorvidEditing

@Suite struct HeadPerplexityTests {
    private static let names = ["gptj", "gpt2", "gpt-neo", "llama", "backpack", "bloom", "gguf-q4_1"]

    @Test("from shared blocks a head costs what the model costs that runs without it", arguments: names)
    func naive(name: String) async throws {
        let model = try TestModel.load(name, type: nil)
        let c = model.configuration
        let ids = TestModel.ids(61, below: c.vocabulary)
        let windows = try TextWindows(ids, cut: .tokens(16), model: model)
        let sweep = try await HeadPerplexity(model, windows: windows, rowsPerPass: 40).sweep()
        #expect(sweep.heads.map(\.head) == c.headIndices)
        let settings = PerplexitySettings(context: 16, stride: 16)
        let whole = try await model.perplexity(of: ids, settings: settings)
        #expect(abs(windows.perplexity(sweep.whole) / whole.perplexity - 1) < 1e-6)
        for (head, losses) in sweep.heads {
            var overlay = ModelOverlay()
            overlay.changes = [head].scaled(by: 0)
            let alone = try await model.laying(overlay).perplexity(of: ids, settings: settings)
            #expect(abs(windows.perplexity(losses) / alone.perplexity - 1) < 1e-6, "\(head)")
            #expect(windows.perplexity(losses) != windows.perplexity(sweep.whole), "\(head)")
        }
    }

    @Test("a model with changes of its own is measured with them") func overlay() async throws {
        let plain = try TestModel.load("gptj")
        var overlay = ModelOverlay()
        overlay.changes = [
            SiteChange(.scale(0.5), at: Site(.mlpHidden, layer: 0)),
            SiteChange(.scale(0.9), at: .logits),
        ]
        let model = try plain.laying(overlay)
        let ids = TestModel.ids(30, below: 200)
        let windows = try TextWindows(ids, cut: .tokens(30), model: model)
        let head = HeadIndex(layer: 1, head: 0)
        let measure = try HeadPerplexity(model, windows: windows)
        let sweep = try await measure.sweep([head])
        var both = overlay
        both.changes += [head].scaled(by: 0)
        let expected = try await plain.laying(both).perplexity(
            of: ids, settings: PerplexitySettings(context: 30, stride: 30))
        #expect(abs(windows.perplexity(sweep.heads[0].losses) / expected.perplexity - 1) < 1e-6)
        let changed = try await measure.perplexity(changes: [head].scaled(by: 0))
        #expect(abs(changed / expected.perplexity - 1) < 1e-6)
    }

    @Test("with a window of the whole context perplexity is exp of the mean surprise") func context()
        async throws
    {
        let model = try TestModel.load("gpt2")
        let c = model.configuration
        let ids = TestModel.ids(48, below: c.vocabulary)
        let windows = try TextWindows(ids, cut: .context, model: model)
        #expect(windows.windows.count == 1 && windows.targets == 47)
        let found = try await HeadPerplexity(model, windows: windows).perplexity()
        let rows = ids.dropLast().enumerated().map {
            Batch<KeyValueCache>.Row(token: $1, sequence: 0, position: $0, wantsLogits: true)
        }
        let logits = try await model.logits(for: Batch(rows: rows, caches: [try model.makeCache()]))
        var sum = 0.0
        for row in 0..<47 {
            let values = logits.row(row).map(Double.init)
            let greatest = values.max() ?? 0
            let total = values.reduce(0) { $0 + Exponential.of($1 - greatest) }
            sum -= values[Int(ids[row + 1])] - greatest - Exponential.log(total)
        }
        #expect(abs(found / Exponential.of(sum / 47) - 1) < 1e-6)
    }

    @Test("the reference's windows leave out what lies between them, and average means") func reference()
        throws
    {
        // Context 1024: windows of 256 that begin every 512 tokens.
        let ids = (0..<1_200).map { Int32($0) }
        let windows = try TextWindows(ids, cut: .reference, contextLength: 1_024, positions: 1_024)
        #expect(windows.windows.map { $0.ids.first } == [0, 512, 1_024])
        #expect(windows.windows.map(\.ids.count) == [256, 256, 176])
        // Each window's first token is not predicted by anything.
        #expect(windows.windows.map(\.targets.count) == [255, 255, 175])
        #expect(windows.windows[1].targets.first == 513)
        // exp((2 + 4 + 3) / 3) to three decimals
        let losses = zip([2.0, 4, 3], windows.windows).map { $0 * Double($1.targets.count) }
        #expect(windows.perplexity(losses) == 20.086)
        // Context 2048: windows side by side, and 4096: overlapping by half, of which only the new half counts.
        let side = try TextWindows(ids, cut: .reference, contextLength: 2_048, positions: 2_048)
        #expect(side.windows.map(\.targets.count) == [511, 511, 175])
        let half = try TextWindows(ids, cut: .reference, contextLength: 4_096, positions: 4_096)
        #expect(half.windows.map(\.ids.count) == [1_024, 688])
        #expect(half.windows.map(\.targets.count) == [1_023, 176])
        #expect(half.windows[1].targets.first == 1_024)
        #expect(half.windows[1].firstScored == 511)
    }

    @Test("texts and windows that cannot be measured are named") func refusals() throws {
        let model = try TestModel.load("gpt2")
        #expect(throws: PruningError.text(tokens: 1)) {
            try TextWindows([1], cut: .context, model: model)
        }
        #expect(throws: PruningError.window(48, allowed: 1...47)) {
            try TextWindows([1, 2, 3], cut: .tokens(48), model: model)
        }
        #expect(throws: PruningError.window(0, allowed: 1...47)) {
            try TextWindows([1, 2, 3], cut: .tokens(0), model: model)
        }
        let windows = try TextWindows([1, 2, 3], cut: .context, model: model)
        #expect(throws: PruningError.layout(family: "bert")) {
            try HeadPerplexity(try TestModel.load("bert"), windows: windows)
        }
        #expect(windows.perplexity([.nan]) == .infinity)
    }

    @Test("the sensitivity of a mask is the slope of the loss, scaled by layer") func sensitivity()
        async throws
    {
        let model = try TestModel.load("gptj")
        let ids = TestModel.ids(40, below: model.configuration.vocabulary)
        let windows = try TextWindows(ids, cut: .tokens(20), model: model)
        let measure = try HeadPerplexity(model, windows: windows)
        let found = try await measure.sensitivity(step: 0.02)
        #expect(found.count == model.configuration.headIndices.count)
        #expect(found.values.max() == 1)
        // Half the step gives the same slopes.
        let finer = try await measure.sensitivity(step: 0.01)
        for (head, value) in found { #expect(abs((finer[head] ?? 0) - value) < 0.02, "\(head)") }
    }
}
