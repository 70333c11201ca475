import CorvidText
import Synchronization
import Testing

@testable import CorvidModels

/// What generation does not do more often than it must.
@Suite struct GenerationCostTests {
    /// Counts how often it is asked what a token stands for.
    private final class CountingTokenizer: Tokenizer {
        private let tokenizer = ByteTokenizer()
        private let looks = Mutex(0)

        var looked: Int { looks.withLock { $0 } }
        var vocabularySize: Int { tokenizer.vocabularySize }
        var specialTokens: SpecialTokens { tokenizer.specialTokens }
        var addsBeginningOfSequence: Bool { false }

        func encode(bytes: [UInt8], addSpecialTokens: Bool, parseSpecial: Bool) -> [Int32] {
            tokenizer.encode(bytes: bytes, addSpecialTokens: addSpecialTokens, parseSpecial: parseSpecial)
        }

        func appendBytes(of id: Int32, to output: inout [UInt8]) {
            looks.withLock { $0 += 1 }
            tokenizer.appendBytes(of: id, to: &output)
        }

        func piece(of id: Int32) -> String { tokenizer.piece(of: id) }
        func id(of piece: String) -> Int32? { tokenizer.id(of: piece) }
        func isSpecial(_ id: Int32) -> Bool { tokenizer.isSpecial(id) }
    }

    @Test("a generator looks through the vocabulary once, with its first request") func gaps() async throws {
        let tokenizer = CountingTokenizer()
        let generator = Generator(
            model: StandInModel.scrambled(vocabularySize: 257, seed: 1), tokenizer: tokenizer)
        #expect(tokenizer.looked == 0)
        let request = GenerationRequest(prompt: [1, 2], maxTokens: 1)
        for count in 1...3 {
            _ = try await generator.run([request])
            // Besides, each answer's only token is decoded.
            #expect((257 + count - 1...257 + count).contains(tokenizer.looked))
        }
    }

    @Test("a sequence's tokens are not copied when one is appended") func appending() async throws {
        let model = StandInModel.scrambled(vocabularySize: 257, contextLength: 5_000, seed: 1)
        var batch = ActiveBatch(model: model, tokenizer: ByteTokenizer(), forbidden: ForbiddenTokens([]))
        var request = GenerationRequest(prompt: [1, 2, 3], maxTokens: 400)
        request.ignoresEndOfSequence = true
        _ = try batch.add(request)
        var moves = 0
        var passes = 0
        var last: UnsafeRawPointer?
        while let pass = batch.nextPass() {
            passes += 1
            let logits = try await model.logits(for: pass.batch)
            _ = try batch.accept(SiteRun(output: logits), of: pass)
            guard let tokens = batch.sequences.first?.tokens else { break }
            let place = tokens.withUnsafeBytes { $0.baseAddress }
            if place != last { moves += 1 }
            last = place
        }
        #expect(passes == 400)
        // An array that grows moves when its capacity doubles.
        #expect(moves < 20, "\(moves) moves in \(passes) passes")
    }
}
