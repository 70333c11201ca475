import CorvidEditing
import CorvidModels
import CorvidTensors
import TestSupport
import Testing

@Suite struct StateVectorPatchTests {
    private static let header = PatchHeader(name: "task", method: "icl")

    @Test(
        "a model with the patch gives what the injection gives, from a file too",
        arguments: ["llama", "gptj", "gpt2", "mpt"], [[7], [7, 9, 6]] as [[Int32]])
    func patch(name: String, arrow: [Int32]) async throws {
        let task = try TinyTask(name, arrow: arrow)
        let vector = try await task.model.states(of: [task.prompt(demonstrations: 2, query: 20)]).query
        let query = task.prompt(demonstrations: 0, query: 31)
        let folder = try TemporaryFolder()
        for mixing in [StateMixing(), StateMixing(old: 0.5, stored: 0.25)] {
            let path = folder.path(of: "task.patch")
            try vector.through(1).patch(Self.header, mixing: mixing).bound(to: task.model).save(to: path)
            let patched = try task.model.applying([.init(Patch(path: path))]).model
            let rows = query.tokens.enumerated().map {
                Batch<KeyValueCache>.Row(
                    token: $1, sequence: 0, position: $0, wantsLogits: $0 == query.tokens.count - 1)
            }
            let whole = try patched.logitsBlocking(for: Batch(rows: rows, caches: [patched.makeCache()])).row(
                0)
            let injected = try await task.logits([query], .state(vector.through(1), mixing: mixing))
            #expect(bitPatterns(Array(whole)) == bitPatterns(injected[0]))
            if mixing == StateMixing() { #expect(try StateVector(Patch(path: path)) == vector.through(1)) }
        }
        #expect(throws: InContextError.cannotSave("keeping the norm")) {
            try vector.patch(Self.header, mixing: StateMixing(keepsNorm: true))
        }
    }

    @Test("only patches of state vectors are read as such") func others() throws {
        let tensor = try Tensor([1, 2], shape: [2])
        let addition = try SiteAddition([1, 2], at: .output(of: 0))
        let replacement = try SiteOperation(.replace(tensor, firstPosition: nil), at: Site(.heads, layer: 1))
        for changes: [Patch.Change] in [[], [.addition(addition)], [.operation(replacement)]] {
            #expect(throws: InContextError.noStateVector(patch: "task")) {
                try StateVector(Patch(Self.header, changes))
            }
        }
    }
}
