import CorvidModels
import CorvidTensors

/// Queries with their answers: how many of them a model gets right.
///
/// An answer is right if its first token has the greatest logit, of all tokens or of the first tokens of the
/// choices.
struct ScoredQueries {
    let batch: QueryBatch
    private let answers: [Int32]
    private let choices: [[Int32]]

    /// - Parameters:
    ///   - demonstrations: what stands before each query; none for bare queries.
    ///   - changes: what is changed in them.
    init(
        _ extractor: StateExtractor, _ pairs: [InContextPair], demonstrations: [InContextPair],
        changes: [SiteChange] = []
    ) async throws {
        let builder = extractor.builder
        answers = try pairs.map { try builder.answerToken(query: $0.input, answer: $0.output) }
        choices = try pairs.map { pair in
            try pair.choices.map { try builder.answerToken(query: pair.input, answer: $0) }
        }
        let prompts = try builder.prompts(demonstrations, queries: pairs.map(\.input))
        batch = try await QueryBatch(extractor.model, prompts, changes: changes)
    }

    var count: Int { answers.count }

    /// What a way to answer reaches.
    struct Score: Sendable, Equatable {
        var right = 0
        /// Sum of log p(answer): tells apart what gets equally many right.
        var likelihood = 0.0

        static func + (left: Score, right: Score) -> Score {
            Score(right: left.right + right.right, likelihood: left.likelihood + right.likelihood)
        }

        func isBetter(than other: Score) -> Bool {
            right != other.right ? right > other.right : likelihood > other.likelihood
        }
    }

    func score(_ candidate: InContextCandidate, layer: Int) async throws -> Score {
        var score = Score()
        func add(_ index: Int, _ logits: ArraySlice<Float>) throws { try self.add(index, logits, to: &score) }
        switch candidate {
        case .nothing: try await batch.logits(each: add)
        case .state(let vector, let residuals):
            try await batch.logits(vector, through: layer, residuals, each: add)
        case .task(let vector): try await batch.logits(vector.injection(after: layer), each: add)
        case .function(let vector): try await batch.logits(vector.injection(after: layer), each: add)
        }
        return score
    }

    private func add(_ index: Int, _ logits: ArraySlice<Float>, to score: inout Score) throws {
        let sum = Elementwise.logSumExp(logits)
        guard sum.isFinite else { throw GenerationError.notFinite(position: index) }
        let answer = answers[index]
        guard answer >= 0, Int(answer) < logits.count else { return }
        let start = logits.startIndex
        score.likelihood += Double(logits[start + Int(answer)]) - sum
        var best = 0
        if choices[index].isEmpty {
            for column in 1..<logits.count where logits[start + column] > logits[start + best] {
                best = column
            }
        } else {
            let columns = choices[index].map(Int.init).filter { (0..<logits.count).contains($0) }
            best = columns.max { logits[start + $0] < logits[start + $1] } ?? -1
        }
        if best == Int(answer) { score.right += 1 }
    }
}

/// A way to answer queries.
enum InContextCandidate {
    /// The model as it is.
    case nothing
    case state(StateVector, ArrowResiduals?)
    case task(TaskVector)
    case function(FunctionVector)
}
