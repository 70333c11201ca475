/// What generation and evaluation need of a model: passes over ragged batches with caches.
///
/// The transformer is one; a test may use a stand-in with known logits.
public protocol LanguageModel: Sendable {
    associatedtype Cache: SequenceCache

    /// Columns of the logits: rows of the output matrix, which may be more than the tokenizer has tokens.
    var vocabularySize: Int { get }
    /// Most positions that a sequence may have.
    var contextLength: Int { get }

    /// Whether the logits of a row are those of the token that follows; an encoder's are not.
    var continuesText: Bool { get }

    /// An empty cache for one sequence.
    func makeCache() throws -> Cache

    /// Runs the rows of `batch` and appends their keys and values to its caches.
    ///
    /// Blocks no Swift task: the pass runs on the model's own threads, and passes of several callers queue.
    /// Cancellation of the calling task is noticed between layers.
    /// - Returns: the logits of the rows that want them, in batch order.
    /// - Throws: ``PassError`` for a row that cannot be run; `CancellationError`.
    func logits(for batch: Batch<Cache>) async throws -> Logits

    /// Changes that the model makes in every pass.
    var changes: [SiteChange] { get }

    /// Runs a pass that also changes and records what stands at sites.
    /// - Throws: ``SiteError``, and as ``logits(for:)``.
    func run(_ plan: SitePlan, _ batch: Batch<Cache>) async throws -> SiteRun
}

extension LanguageModel {
    public var continuesText: Bool { true }
    public var changes: [SiteChange] { [] }

    /// A model without sites can only run a plan without any.
    public func run(_ plan: SitePlan, _ batch: Batch<Cache>) async throws -> SiteRun {
        if let site = plan.changes.first?.site ?? plan.readings.first?.site {
            throw SiteError.missing(site, family: "\(Self.self)", has: [])
        }
        return SiteRun(output: try await logits(for: batch))
    }
}

/// The keys and values which one sequence has produced so far.
public protocol SequenceCache: AnyObject, Sendable {
    /// Positions held; the next row of this sequence has this position.
    var count: Int { get }
    /// A cache with the same content that grows on its own (shares what is full).
    func fork() throws -> Self
    /// Forgets the positions from `count` on.
    func truncate(to count: Int)
}

/// One pass: a flat list of rows over several sequences, without padding.
///
/// The rows of a sequence are neighbours and have consecutive positions, the first of which is its
/// cache's `count`. No two passes may use one cache at the same time.
public struct Batch<Cache: SequenceCache>: Sendable {
    public struct Row: Sendable, Equatable {
        public var token: Int32
        /// Index into ``Batch/caches``.
        public var sequence: Int
        public var position: Int
        /// Whether the pass gives logits, or what else it is asked for, of this row.
        public var wantsLogits: Bool
        /// The kind of the token, for encoders that tell two texts apart: 0 for the first, 1 for the second.
        public var tokenType: Int

        public init(token: Int32, sequence: Int, position: Int, wantsLogits: Bool, tokenType: Int = 0) {
            self.token = token
            self.sequence = sequence
            self.position = position
            self.wantsLogits = wantsLogits
            self.tokenType = tokenType
        }
    }

    public var rows: [Row]
    public var caches: [Cache]
    /// For each sequence how many of its tokens are its prompt; what is not given ends with the pass. Only changes
    /// at positions counted from the end of the prompt ask for it.
    public var promptCounts: [Int?]

    public init(rows: [Row], caches: [Cache], promptCounts: [Int?] = []) {
        self.rows = rows
        self.caches = caches
        self.promptCounts = promptCounts
    }
}

/// Logits of some rows of a pass.
public typealias Logits = RowValues

/// What a pass gives for some of its rows, `[rows, columns]`, f32.
public struct RowValues: Sendable {
    public let rowCount: Int
    public let columns: Int
    private let values: [Float]

    /// - Parameter values: row after row; as many as `rowCount * columns`.
    public init(rowCount: Int, columns: Int, values: [Float]) {
        precondition(values.count == rowCount * columns, "values must fill their shape")
        self.rowCount = rowCount
        self.columns = columns
        self.values = values
    }

    public func row(_ index: Int) -> ArraySlice<Float> {
        values[index * columns..<(index + 1) * columns]
    }

    /// Some of the rows.
    func rows(_ range: Range<Int>) -> RowValues {
        RowValues(
            rowCount: range.count, columns: columns,
            values: Array(values[range.lowerBound * columns..<range.upperBound * columns]))
    }
}

/// Why a pass was refused.
public enum PassError: Error, Equatable, CustomStringConvertible {
    case token(id: Int32, vocabularySize: Int)
    case position(found: Int, expected: Int)
    case contextFull(positions: Int, contextLength: Int)
    case sequence(index: Int, count: Int)
    case tokenType(found: Int, count: Int)
    /// Rows of an encoder that do not begin their sequence.
    case notWhole(position: Int)
    /// A sequence of an encoder-decoder without a source text.
    case noSource(sequence: Int)
    /// A source text for a model that reads none, or an empty one.
    case source(length: Int)
    case empty(sequence: Int)
    /// A source text without the token that ends one, which an encoder-decoder classifies.
    case noEnd(sequence: Int, token: Int32)
    /// Another number of token types than of tokens.
    case types(found: Int, expected: Int)

    public var description: String {
        switch self {
        case .token(let id, let size):
            return
                "token id \(id) is outside the vocabulary 0..<\(size); was the text encoded with another tokenizer?"
        case .position(let found, let expected):
            return "a row has position \(found), its cache continues at \(expected)"
        case .contextFull(let positions, let length):
            return
                "\(positions) tokens do not fit in the context of \(length); shorten the prompt or raise --context"
        case .sequence(let index, let count):
            return "a row belongs to sequence \(index), the batch has \(count)"
        case .tokenType(let found, let count):
            return "a token has the type \(found), the model knows \(max(1, count)): 0..<\(max(1, count))"
        case .notWhole(let position):
            return
                "the model is an encoder and reads a sequence at once, not from position \(position) on; it does not continue texts"
        case .noSource(let sequence):
            return
                "sequence \(sequence) has no source text, which the model answers to; make its cache with one"
        case .source(let length):
            return length == 0
                ? "the source text is empty" : "the model reads no source text beside its own sequence"
        case .empty(let sequence):
            return "sequence \(sequence) has no tokens"
        case .noEnd(let sequence, let token):
            return "sequence \(sequence) has no token \(token) at its end, where the model's answer is read"
        case .types(let found, let expected):
            return "there are \(found) token types for \(expected) tokens"
        }
    }
}
