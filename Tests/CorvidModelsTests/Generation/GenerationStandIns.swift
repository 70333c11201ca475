import CorvidModels
import CorvidTensors
import CorvidText
import Synchronization

/// A cache that holds the tokens themselves.
final class TokenCache: SequenceCache {
    private let held: Mutex<[Int32]>

    init(_ tokens: [Int32] = []) {
        held = Mutex(tokens)
    }

    var tokens: [Int32] { held.withLock { $0 } }
    var count: Int { held.withLock { $0.count } }
    func fork() -> TokenCache { TokenCache(tokens) }
    func truncate(to count: Int) { held.withLock { $0.removeLast($0.count - min(count, $0.count)) } }
    func append(_ token: Int32) { held.withLock { $0.append(token) } }
}

/// A model whose logits are a given function of all tokens so far, and which keeps account of its passes.
final class StandInModel: LanguageModel {
    struct Account: Sendable {
        var passes: [[Batch<TokenCache>.Row]] = []
        var rows: Int { passes.reduce(0) { $0 + $1.count } }
    }

    let vocabularySize: Int
    let contextLength: Int
    private let function: @Sendable ([Int32]) -> [Float]
    /// Runs before pass number n, counted from 0.
    private let before: @Sendable (Int) async throws -> Void
    private let account = Mutex(Account())

    init(
        vocabularySize: Int, contextLength: Int = 1_024,
        before: @escaping @Sendable (Int) async throws -> Void = { _ in },
        logits: @escaping @Sendable ([Int32]) -> [Float]
    ) {
        self.vocabularySize = vocabularySize
        self.contextLength = contextLength
        self.before = before
        self.function = logits
    }

    var seen: Account { account.withLock { $0 } }

    func makeCache() -> TokenCache { TokenCache() }

    func logits(for batch: Batch<TokenCache>) async throws -> Logits {
        let number = account.withLock { account in
            account.passes.append(batch.rows)
            return account.passes.count - 1
        }
        try await before(number)
        var values: [Float] = []
        var rowCount = 0
        for row in batch.rows {
            guard batch.caches.indices.contains(row.sequence) else {
                throw PassError.sequence(index: row.sequence, count: batch.caches.count)
            }
            let cache = batch.caches[row.sequence]
            guard row.position == cache.count else {
                throw PassError.position(found: row.position, expected: cache.count)
            }
            guard cache.count < contextLength else {
                throw PassError.contextFull(positions: cache.count + 1, contextLength: contextLength)
            }
            cache.append(row.token)
            if row.wantsLogits {
                values += function(cache.tokens)
                rowCount += 1
            }
        }
        return Logits(rowCount: rowCount, columns: vocabularySize, values: values)
    }

    /// Logits that look random and depend on every token so far.
    static func scrambled(
        vocabularySize: Int, contextLength: Int = 1_024, seed: UInt64,
        before: @escaping @Sendable (Int) async throws -> Void = { _ in }
    ) -> StandInModel {
        StandInModel(vocabularySize: vocabularySize, contextLength: contextLength, before: before) { tokens in
            var hash = seed
            for token in tokens { hash = (hash ^ UInt64(UInt32(bitPattern: token))) &* 0x100_0000_01b3 }
            let random = CounterRandom(seed: hash)
            return (0..<vocabularySize).map { Float(random.uniform(step: UInt64($0)) * 8 - 4) }
        }
    }

    /// Says `script` after a prompt of `promptCount` tokens, whatever the prompt; then token 0 for ever.
    static func scripted(
        _ script: [Int32], after promptCount: Int, vocabularySize: Int, contextLength: Int = 1_024,
        before: @escaping @Sendable (Int) async throws -> Void = { _ in }
    ) -> StandInModel {
        StandInModel(vocabularySize: vocabularySize, contextLength: contextLength, before: before) { tokens in
            var logits = [Float](repeating: 0, count: vocabularySize)
            let index = tokens.count - promptCount
            logits[script.indices.contains(index) ? Int(script[index]) : 0] = 30
            return logits
        }
    }
}

/// Bytes 0 to 255, then tokens of given spellings, then the special `<end>`; ids beyond are padding.
struct ByteTokenizer: Tokenizer {
    let spellings: [String]

    init(_ spellings: [String] = []) {
        self.spellings = spellings
    }

    var end: Int32 { Int32(256 + spellings.count) }
    var vocabularySize: Int { 257 + spellings.count }
    var specialTokens: SpecialTokens { SpecialTokens(endOfSequence: end) }
    var addsBeginningOfSequence: Bool { false }

    func encode(bytes: [UInt8], addSpecialTokens: Bool, parseSpecial: Bool) -> [Int32] {
        var ids: [Int32] = []
        var rest = bytes[...]
        let name = Array("<end>".utf8)
        while let byte = rest.first {
            if parseSpecial && rest.starts(with: name) {
                ids.append(end)
                rest = rest.dropFirst(name.count)
            } else {
                ids.append(Int32(byte))
                rest = rest.dropFirst()
            }
        }
        return ids
    }

    func appendBytes(of id: Int32, to output: inout [UInt8]) {
        if (0..<256).contains(id) { output.append(UInt8(id)) } else { output += Array(piece(of: id).utf8) }
    }

    func piece(of id: Int32) -> String {
        if id == end { return "<end>" }
        return spellings.indices.contains(Int(id) - 256) ? spellings[Int(id) - 256] : ""
    }

    func id(of piece: String) -> Int32? {
        piece == "<end>" ? end : spellings.firstIndex(of: piece).map { Int32(256 + $0) }
    }

    func isSpecial(_ id: Int32) -> Bool { id == end }
}

extension GenerationEvent {
    /// The piece of text, if it is one of this sample.
    func piece(request: Int = 0, sample: Int = 0) -> String? {
        if case .text(request, sample, let piece) = self { piece } else { nil }
    }
}

/// Collects what a `@Sendable` closure is called with.
final class Collector<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])

    func append(_ element: Element) {
        elements.withLock { $0.append(element) }
    }

    var all: [Element] { elements.withLock { $0 } }
}
