import CorvidEditing
import CorvidModels
import CorvidText
import Foundation
import Synchronization

/// A cache that holds the tokens themselves.
final class WordCache: SequenceCache {
    private let held: Mutex<[Int32]>
    init(_ tokens: [Int32] = []) { held = Mutex(tokens) }
    var tokens: [Int32] { held.withLock { $0 } }
    var count: Int { held.withLock { $0.count } }
    func fork() -> WordCache { WordCache(tokens) }
    func truncate(to count: Int) { held.withLock { $0.removeLast($0.count - min(count, $0.count)) } }
    func append(_ token: Int32) { held.withLock { $0.append(token) } }
}

/// Words with the blank before them, and line breaks; words it does not know are spelled in bytes.
struct WordTokenizer: Tokenizer {
    private let pieces: [[UInt8]]
    private let ids: [[UInt8]: Int32]

    init(_ words: [String]) {
        let known = Set(words.flatMap { [$0, " " + $0] }).sorted().map { Array($0.utf8) }
        pieces = (0..<256).map { [UInt8($0)] } + known
        ids = Dictionary(uniqueKeysWithValues: known.enumerated().map { ($1, Int32(256 + $0)) })
    }

    var vocabularySize: Int { pieces.count }
    var specialTokens: SpecialTokens { SpecialTokens() }
    var addsBeginningOfSequence: Bool { false }

    func encode(bytes: [UInt8], addSpecialTokens: Bool, parseSpecial: Bool) -> [Int32] {
        var result: [Int32] = []
        var start = 0
        while start < bytes.count {
            var end = start + 1
            if bytes[start] != 10 {
                while end < bytes.count, bytes[end] != 32, bytes[end] != 10 { end += 1 }
            }
            let piece = Array(bytes[start..<end])
            result += ids[piece].map { [$0] } ?? piece.map(Int32.init)
            start = end
        }
        return result
    }

    func appendBytes(of id: Int32, to output: inout [UInt8]) {
        if pieces.indices.contains(Int(id)) { output += pieces[Int(id)] }
    }

    func piece(of id: Int32) -> String { String(decoding: bytes(of: id), as: UTF8.self) }
    func id(of piece: String) -> Int32? { ids[Array(piece.utf8)] }
    func isSpecial(_ id: Int32) -> Bool { false }
}

/// A language model that has learned one thing: naive Bayes over the words of the last text in the prompt says how
/// probable each label word is. Its counts come from a corpus that it was trained on.
final class WordModel: LanguageModel {
    let tokenizer: WordTokenizer
    let contextLength: Int
    var vocabularySize: Int { tokenizer.vocabularySize }
    private let labels: [String]
    /// log P(word | label) of each label.
    private let weights: [[String: Double]]
    /// Added to each label's logit.
    private let offsets: [Double]
    private let rows = Mutex(0)
    private let passes = Mutex(0)

    /// Rows run so far.
    var rowCount: Int { rows.withLock { $0 } }

    /// - Parameters:
    ///   - training: texts with labels; the words of texts and labels are the vocabulary.
    ///   - sharpness: what the sum of log odds is multiplied with.
    ///   - offsets: the bias of each label word.
    init(
        labels: [String], training: [TaskExample], sharpness: Double = 1, offsets: [Double]? = nil,
        words: [String] = [], contextLength: Int = 4_096
    ) {
        self.labels = labels
        self.contextLength = contextLength
        self.offsets = offsets ?? labels.map { _ in 0 }
        let split = training.map { ($0.text.first.split(separator: " ").map(String.init), $0.label ?? 0) }
        let vocabulary = Set(split.flatMap(\.0))
        weights = labels.indices.map { label in
            var counts: [String: Double] = [:]
            for (words, _) in split where label == label { for word in words { counts[word] = 0 } }
            var total = 0.0
            for (words, of) in split where of == label {
                for word in words {
                    counts[word, default: 0] += 1
                    total += 1
                }
            }
            // Laplace: one more of each word.
            return counts.mapValues { sharpness * log(($0 + 1) / (total + Double(vocabulary.count))) }
        }
        tokenizer = WordTokenizer(Array(vocabulary) + labels + words + ["Text:", "Label:"])
    }

    func makeCache() -> WordCache { WordCache() }

    func logits(for batch: Batch<WordCache>) async throws -> Logits {
        var values: [Float] = []
        var count = 0
        for row in batch.rows {
            let cache = batch.caches[row.sequence]
            guard row.position == cache.count, cache.count < contextLength else {
                throw PassError.position(found: row.position, expected: cache.count)
            }
            cache.append(row.token)
            if row.wantsLogits {
                values += logits(cache.tokens)
                count += 1
            }
        }
        rows.withLock { $0 += batch.rows.count }
        return Logits(rowCount: count, columns: vocabularySize, values: values)
    }

    private func logits(_ tokens: [Int32]) -> [Float] {
        let lines = tokenizer.decode(tokens).split(separator: "\n", omittingEmptySubsequences: false)
        let text = lines.dropLast().last.map { $0.split(separator: " ").map(String.init) } ?? []
        var result = [Float](repeating: -2, count: vocabularySize)
        for label in labels.indices {
            let sum = text.reduce(offsets[label]) { $0 + (weights[label][$1] ?? 0) }
            // Words that no label knows differ for none.
            let base = text.reduce(0) { $0 + (weights[0][$1] ?? 0) }
            if let id = tokenizer.id(of: " " + labels[label]) { result[Int(id)] = Float(sum - base) }
        }
        return result
    }
}
