import CorvidTensors
import Foundation
import Synchronization

/// One line on standard error that redraws: what is done, how much, how fast, and how long it still takes.
///
///     perplexity  6,144/20,480 tokens  1,012 tokens/s  left 14 s
final class ProgressLine: Sendable {
    private struct State {
        var label = ""
        var start = ContinuousClock.now
        var lastDrawn: ContinuousClock.Instant?
        var isVisible = false
    }

    private let isShown: Bool
    private let state = Mutex(State())

    init(isShown: Bool) { self.isShown = isShown }

    /// Draws, at most ten times in a second; work that ends within a third of a second draws nothing.
    func show(_ label: String, done: Int, total: Int, unit: String) {
        guard isShown else { return }
        let now = ContinuousClock.now
        state.withLock { state in
            if state.label != label {
                state.label = label
                state.start = now
                state.lastDrawn = nil
            }
            let elapsed = now - state.start
            guard elapsed > .milliseconds(300) else { return }
            if let last = state.lastDrawn, now - last < .milliseconds(100) { return }
            state.lastDrawn = now
            state.isVisible = true
            let line = Self.line(label, done: done, total: total, unit: unit, elapsed: elapsed)
            StandardError.write("\r\(line.prefix(max(1, Terminal.width - 1)))\u{1B}[K")
        }
    }

    /// Removes the line if there is one.
    func erase() {
        guard isShown else { return }
        state.withLock { state in
            if state.isVisible { StandardError.write("\r\u{1B}[K") }
            state = State()
        }
    }

    /// The line itself.
    static func line(_ label: String, done: Int, total: Int, unit: String, elapsed: Duration) -> String {
        var parts = [label, "\(Figures.grouped(done))/\(Figures.grouped(total)) \(unit)"]
        let seconds = elapsed.inSeconds
        if done > 0, seconds > 0 {
            let rate = Double(done) / seconds
            parts.append("\(Figures.rate(rate)) \(unit)/s")
            if done < total { parts.append("left \(Figures.duration(Double(total - done) / rate))") }
        }
        return parts.joined(separator: "  ")
    }
}
