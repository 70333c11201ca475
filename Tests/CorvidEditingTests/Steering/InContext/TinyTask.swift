import CorvidEditing
import CorvidModels
import CorvidTensors
import CorvidText
import TestSupport

/// Prompts of random tokens for tiny models.
struct TinyTask {
    let model: Model
    let arrow: [Int32]
    private let words: [[Int32]]

    init(_ name: String, arrow: [Int32] = [7], seed: UInt64 = 5, as type: DType? = .f32) throws {
        model = try Model.load(
            path: Fixtures.path("Models/\(name)"), options: LoadOptions(threads: 2, computeType: type))
        self.arrow = arrow
        var generator = SeededGenerator(seed: seed)
        let vocabulary = model.configuration.vocabulary
        words = (0..<64).map { _ in
            (0..<generator.int(1...2)).map { _ in Int32(generator.int(10...vocabulary - 1)) }
        }
    }

    /// A prompt of the words `first`, `first` + 1, ... with a query.
    func prompt(first: Int = 0, demonstrations: Int, query: Int) -> InContextPrompt {
        var prompt = InContextPrompt(tokens: [1], arrows: [])
        func add(_ word: Int) {
            prompt.tokens += words[word]
            prompt.arrows.append(prompt.tokens.count..<prompt.tokens.count + arrow.count)
            prompt.tokens += arrow
        }
        for index in 0..<demonstrations {
            add(first + 2 * index)
            prompt.tokens += words[first + 2 * index + 1] + [8]
        }
        add(query)
        return prompt
    }

    /// Logits of the token after the prompt, from one pass over all of it.
    func logits(_ prompt: InContextPrompt, changes: [SiteChange] = []) throws -> [Float] {
        let rows = prompt.tokens.enumerated().map {
            Batch<KeyValueCache>.Row(
                token: $1, sequence: 0, position: $0, wantsLogits: $0 == prompt.tokens.count - 1)
        }
        let run = try model.runBlocking(
            SitePlan(changes: changes), Batch(rows: rows, caches: [model.makeCache()]))
        return Array(run.output.row(0))
    }

    /// What a batch of queries gives under an injection.
    func logits(_ prompts: [InContextPrompt], _ injection: StateInjection?) async throws -> [[Float]] {
        let batch = try await QueryBatch(model, prompts)
        var rows: [[Float]] = []
        try await batch.logits(injection) { _, logits in rows.append(Array(logits)) }
        return rows
    }
}

func bitPatterns(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

func greatestDifference(_ a: [Float], _ b: [Float]) -> Float {
    a.count == b.count ? zip(a, b).map { abs($0 - $1) }.max() ?? 0 : .infinity
}

/// The tokenizer of a golden folder.
func goldenTokenizer(_ name: String) throws -> any Tokenizer {
    try PipelineTokenizer.load { file in
        file == "tokenizer.json" ? try Fixtures.bytes("Tokenizers/\(name)/\(file)") : nil
    }
}
