import CorvidTensors

/// Linear probes for all letters at once, by least squares with a ridge on centred vectors:
///
///     W = (Xᵀ X + λ s I)⁻¹ Xᵀ Y,   s the mean of the diagonal of Xᵀ X
///
/// One Gram matrix and one factorisation serve all letters. It learns from all training tokens; a letter is said
/// to be there when the score lies above the middle between the mean scores of tokens with it and without it,
/// which is Fisher's discriminant for as many tokens of either kind. Leave-one-out scores follow from the same
/// factor, ŷᵢ without i = yᵢ - (yᵢ - ŷᵢ) / (1 - hᵢ), hᵢ = 1/n + |L⁻¹ xᵢ|², and choose λ.
struct RidgeProbe: Sendable {
    /// The chosen λ.
    let ridge: Double
    /// Mean macro-F1 over the letters of leave-one-out scores, as if there were as many tokens of either kind.
    let leaveOneOut: Double
    /// Of the columns of the vectors, then shares of the tokens with each letter.
    let means: [Double]
    /// `[width, letters]`
    let weights: DoubleMatrix
    private let thresholds: [Double]

    /// Rows that are worked on at a time.
    private static let chunk = 1024

    /// - Parameters:
    ///   - places: rows of the training tokens.
    ///   - labels: for each letter, whether each token has it.
    /// - Throws: `LinearAlgebraError`, `CancellationError`.
    init(
        _ vectors: TokenVectors, places: [Int], labels: [[Bool]], ridges: [Double], workers: Workers,
        isCancelled: () -> Bool
    ) throws {
        let width = vectors.width
        // Vectors and answers side by side: the Gram matrix of both has all sums there are.
        var gram = try GramMatrix(width: width + labels.count)
        for start in stride(from: 0, to: places.count, by: 4 * Self.chunk) {
            if isCancelled() { throw CancellationError() }
            let part = places[start..<min(start + 4 * Self.chunk, places.count)]
            var rows: [Double] = []
            rows.reserveCapacity(part.count * gram.width)
            for place in part {
                for value in vectors.values[place * width..<(place + 1) * width] {
                    rows.append(Double(value))
                }
                for letter in labels { rows.append(letter[place] ? 1 : 0) }
            }
            try gram.add(rows, workers: workers)
        }
        let count = Double(max(1, gram.count))
        means = gram.sums.map { $0 / count }
        let scatter = try gram.scatter(0..<width, 0..<width)
        let products = try gram.scatter(0..<width, width..<gram.width)
        let meanDiagonal = (0..<width).reduce(0) { $0 + scatter[$1, $1] } / Double(width)
        let scale = meanDiagonal > 0 ? meanDiagonal : 1

        var best: (score: Double, ridge: Double, weights: DoubleMatrix, thresholds: [Double])?
        for ridge in ridges {
            if isCancelled() { throw CancellationError() }
            var regular = scatter
            for index in 0..<width { regular[index, index] += ridge * scale }
            let factor = try Cholesky(regular)
            let weights = try factor.solve(products)
            let scores = try Self.scores(
                vectors, places: places, labels: labels, means: means, weights: weights, factor: factor,
                workers: workers)
            let judged = Self.judge(scores, places: places, labels: labels)
            if best.map({ judged.f1 > $0.score }) ?? true {
                best = (judged.f1, ridge, weights, judged.thresholds)
            }
        }
        guard let best else {
            throw CharacterProbeError.setting(
                name: "the list of ridges", found: "empty", expected: "at least one number")
        }
        (leaveOneOut, ridge, weights, thresholds) = best
    }

    /// Right and wrong answers for one letter.
    func test(_ examples: [LetterExamples.Example], letter: Int, of vectors: TokenVectors) -> ConfusionCounts
    {
        var counts = ConfusionCounts()
        let column = (0..<vectors.width).map { weights[$0, letter] }
        for example in examples {
            let start = example.place * vectors.width
            var score = 0.0
            for index in column.indices {
                score += (Double(vectors.values[start + index]) - means[index]) * column[index]
            }
            counts.add(predicted: score > thresholds[letter], actual: example.label)
        }
        return counts
    }

    /// Scores of the training tokens less the share of tokens with the letter, `[places, letters]`.
    struct Scores: Sendable {
        var all: [Double] = []
        /// Each without its own token in the training.
        var leftOut: [Double] = []
    }

    static func scores(
        _ vectors: TokenVectors, places: [Int], labels: [[Bool]], means: [Double], weights: DoubleMatrix,
        factor: Cholesky, workers: Workers
    ) throws -> Scores {
        let (width, letters) = (vectors.width, labels.count)
        let share = 1 / Double(max(1, places.count))
        let shift = means.prefix(width).map { -$0 }
        let chunks = (places.count + chunk - 1) / chunk
        let parts = try ProbeRun.jobs(Array(0..<chunks), workers: workers, work: { _ in chunk }) { index in
            let part = places[index * chunk..<min((index + 1) * chunk, places.count)]
            var rows: [Double] = Double.gather(vectors.values, width: width, part)
            Double.add(row: shift, to: &rows)
            let centred = try DoubleMatrix(rows, rows: part.count, columns: width)
            let whitened = try factor.whiten(centred)
            var scores = Scores(all: try centred.multiplied(by: weights).values)
            scores.leftOut.reserveCapacity(scores.all.count)
            for (row, place) in part.enumerated() {
                let direction = whitened.values[row * width..<(row + 1) * width]
                let leverage = min(share + direction.reduce(0) { $0 + $1 * $1 }, 1 - 1e-9)
                for letter in 0..<letters {
                    let target = (labels[letter][place] ? 1 : 0) - means[width + letter]
                    let score = scores.all[row * letters + letter]
                    scores.leftOut.append(target - (target - score) / (1 - leverage))
                }
            }
            return scores
        }
        return Scores(all: parts.flatMap(\.all), leftOut: parts.flatMap(\.leftOut))
    }

    /// Middles between the mean scores of both kinds for each letter, and the mean macro-F1 of leave-one-out
    /// scores.
    private static func judge(
        _ scores: Scores, places: [Int], labels: [[Bool]]
    ) -> (f1: Double, thresholds: [Double]) {
        var thresholds: [Double] = []
        var sum = 0.0
        for (letter, label) in labels.enumerated() {
            let answers = places.map { label[$0] }
            func column(_ scores: [Double]) -> [Double] {
                places.indices.map { scores[$0 * labels.count + letter] }
            }
            thresholds.append(middle(column(scores.all), answers))
            let left = column(scores.leftOut)
            let threshold = middle(left, answers)
            var counts = ConfusionCounts()
            for (score, answer) in zip(left, answers) {
                counts.add(predicted: score > threshold, actual: answer)
            }
            sum += counts.balancedMacroF1
        }
        return (sum / Double(max(1, labels.count)), thresholds)
    }

    /// The middle between the mean scores of both answers.
    private static func middle(_ scores: [Double], _ answers: [Bool]) -> Double {
        var sums = (yes: 0.0, no: 0.0)
        var yes = 0
        for (score, answer) in zip(scores, answers) {
            if answer {
                sums.yes += score
                yes += 1
            } else {
                sums.no += score
            }
        }
        return (sums.yes / Double(max(1, yes)) + sums.no / Double(max(1, scores.count - yes))) / 2
    }
}
