import CorvidModels

/// A text cut into windows, each of which a model reads from its beginning.
public struct TextWindows: Sendable, Equatable {
    /// How the text is cut.
    public enum Cut: Sendable, Equatable {
        /// Windows of so many tokens, one behind the other; each token but the first is predicted once, as
        /// `corvid perplexity` does it.
        case tokens(Int)
        /// The same, as long as the model's context.
        case context
        /// What the code published with FASP does: windows of a quarter of the context that begin every 512 tokens.
        /// A window predicts only its own tokens, of these those behind the last window's end, and what lies
        /// between windows is never read (half the text of GPT-2). The result is the exponential of the mean of the
        /// windows' means, to three decimals.
        case reference
    }

    /// One window.
    public struct Window: Sendable, Equatable {
        /// What the model reads.
        public let ids: [Int32]
        /// The first row whose successor counts.
        public let firstScored: Int
        /// The successors of the rows from there on.
        public let targets: [Int32]
    }

    public let windows: [Window]
    private let isMeanOfMeans: Bool

    /// - Throws: ``PruningError/text(tokens:)``, ``PruningError/window(_:allowed:)``.
    public init(_ ids: [Int32], cut: Cut, model: Model) throws {
        try self.init(
            ids, cut: cut, contextLength: model.contextLength, positions: model.configuration.context)
    }

    /// - Parameters:
    ///   - contextLength: most tokens of a window.
    ///   - positions: the model's own context.
    init(_ ids: [Int32], cut: Cut, contextLength: Int, positions: Int) throws {
        guard ids.count >= 2 else { throw PruningError.text(tokens: ids.count) }
        let size: Int
        switch cut {
        case .tokens(let count): size = count
        case .context: size = contextLength
        case .reference: size = positions / 4
        }
        let least = cut == .reference ? 2 : 1
        guard size >= least, size <= contextLength else {
            throw PruningError.window(size, allowed: least...max(least, contextLength))
        }
        isMeanOfMeans = cut == .reference
        var windows: [Window] = []
        if cut == .reference {
            var last = 0
            for start in stride(from: 0, to: ids.count, by: 512) {
                let end = min(start + size, ids.count)
                // Targets stand in the window, and in the last `end - last` tokens up to its end.
                let first = max(start + 1, last)
                if first < end {
                    windows.append(
                        Window(
                            ids: Array(ids[start..<end]), firstScored: first - 1 - start,
                            targets: Array(ids[first..<end])))
                }
                last = end
                if end == ids.count { break }
            }
        } else {
            for start in stride(from: 0, to: ids.count - 1, by: size) {
                let end = min(start + size, ids.count - 1)
                windows.append(
                    Window(
                        ids: Array(ids[start..<end]), firstScored: 0,
                        targets: Array(ids[start + 1..<end + 1])))
            }
        }
        self.windows = windows
    }

    /// Tokens that the model reads.
    public var tokens: Int { windows.reduce(0) { $0 + $1.ids.count } }
    /// Tokens that are predicted.
    public var targets: Int { windows.reduce(0) { $0 + $1.targets.count } }

    /// Perplexity from each window's sum of -log p, in nats; infinite if one of them is no number.
    public func perplexity(_ losses: [Double]) -> Double {
        guard losses.allSatisfy(\.isFinite), losses.count == windows.count, !losses.isEmpty else {
            return .infinity
        }
        if isMeanOfMeans {
            let means = zip(losses, windows).map { $0 / Double(max(1, $1.targets.count)) }
            let value = Perplexity(
                tokens: means.count, negativeLogLikelihood: means.reduce(0, +)
            ).perplexity
            return (value * 1_000).rounded() / 1_000
        }
        return Perplexity(tokens: targets, negativeLogLikelihood: losses.reduce(0, +)).perplexity
    }
}
