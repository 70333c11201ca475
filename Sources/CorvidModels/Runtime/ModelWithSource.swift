/// An encoder-decoder which has read a source text: a language model that continues the answer to it. The answer
/// begins with ``startToken``.
public struct ModelWithSource: LanguageModel {
    public typealias Cache = KeyValueCache

    public let model: Model
    /// The token with which answers begin.
    public let startToken: Int32
    /// Holds the source and no position.
    private let beginning: KeyValueCache

    /// Reads `source`, once for all answers.
    /// - Throws: ``PassError`` for a text that cannot be read, or if the model reads none;
    ///   ``ConfigurationError`` if its config names no first token; `CancellationError`.
    public init(_ model: Model, source: [Int32]) async throws {
        guard let start = model.configuration.startToken else {
            throw ConfigurationError.missing(file: model.path, keys: ["decoder_start_token_id"])
        }
        self.model = model
        startToken = start
        beginning = try await model.makeCache(source: source)
    }

    public var vocabularySize: Int { model.vocabularySize }
    public var contextLength: Int { model.contextLength }
    public var continuesText: Bool { model.continuesText }

    public func makeCache() throws -> KeyValueCache { try beginning.fork() }

    public func logits(for batch: Batch<KeyValueCache>) async throws -> Logits {
        try await model.logits(for: batch)
    }

    public var changes: [SiteChange] { model.changes }

    public func run(_ plan: SitePlan, _ batch: Batch<KeyValueCache>) async throws -> SiteRun {
        try await model.run(plan, batch)
    }
}
