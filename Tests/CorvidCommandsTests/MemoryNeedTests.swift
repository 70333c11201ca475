import CorvidModels
import TestSupport
import Testing

@testable import CorvidCommands

@Suite struct MemoryNeedTests {
    private static let model = Result {
        try Model.load(
            ModelFiles(path: Fixtures.path("Models/gptj")), options: LoadOptions(threads: 1, cacheType: .f16))
    }

    @Test(
        "keys and values take whole pages for each sequence",
        arguments: [
            (0, 1, 0), (1, 1, 256), (255, 1, 256), (256, 1, 256), (257, 1, 512), (257, 3, 1_536),
            (Int.max, 2, Int.max),
        ])
    func pages(positions: Int, sequences: Int, expected: Int) {
        #expect(MemoryNeed.cachedPositions(positions, sequences: sequences) == expected)
    }

    @Test("a run needs its pages, and the activations of its chunk of a prompt or of one row per sequence")
    func need() throws {
        let model = try Self.model.get()
        func activations(_ rows: Int) -> Int { MemoryNeed.activations(model.configuration, rows: rows) }
        let page = 256 * model.cacheBytesPerPosition
        #expect(MemoryNeed(model: model, tokens: 10).bytes == page + activations(10))
        #expect(MemoryNeed(model: model, tokens: 60, prefillChunk: 7).bytes == page + activations(7))
        #expect(
            MemoryNeed(model: model, tokens: 60, sequences: 9, prefillChunk: 7).bytes == 9 * page
                + activations(9))
        #expect(MemoryNeed(model: model, tokens: 60, besides: 5).bytes == page + activations(60) + 5)
        // More than the context holds never occurs.
        #expect(
            MemoryNeed(model: model, tokens: Int.max, prefillChunk: Int.max).bytes == page + activations(64))
        #expect(activations(64) > activations(7))
    }

    @Test("what does not fit a number is the greatest one") func saturation() throws {
        let model = try Self.model.get()
        #expect(MemoryNeed(model: model, tokens: 60, sequences: Int.max).bytes == Int.max)
        #expect(MemoryNeed(model: model, tokens: 60, besides: Int.max).bytes == Int.max)
        #expect(MemoryNeed.activations(model.configuration, rows: Int.max) == Int.max)
        #expect(Int.max.addingSaturated(1) == Int.max && 2.addingSaturated(3) == 5)
        #expect(Int.max.multipliedSaturated(by: 2) == Int.max && 2.multipliedSaturated(by: 3) == 6)
    }
}
