import Dispatch
import Foundation
import Synchronization

/// SIGINT and SIGTERM as calls of the newest handler, outside of any signal handler.
final class Interrupts: Sendable {
    enum Signal: Sendable { case interrupt, terminate }
    typealias Handler = @Sendable (Signal) -> Void

    static let shared = Interrupts()

    private struct State {
        var handlers: [(id: Int, handler: Handler)] = []
        var nextIdentity = 0
    }

    private let state = Mutex(State())
    // Sound: made in `init` and only kept alive afterwards.
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

    private init() {
        let queue = DispatchQueue(label: "corvid.interrupts")
        let watched: [(Int32, Signal)] = [(SIGINT, .interrupt), (SIGTERM, .terminate)]
        sources = watched.map { number, signal in
            // The default action would end the process before the source hears of it.
            Foundation.signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { Interrupts.shared.deliver(signal) }
            source.resume()
            return source
        }
    }

    /// Runs `body`; signals meanwhile go to `handler`.
    func handling<Result: Sendable>(
        _ handler: @escaping Handler, _ body: () async throws -> Result
    ) async rethrows -> Result {
        let identity = state.withLock { state in
            state.nextIdentity += 1
            state.handlers.append((state.nextIdentity, handler))
            return state.nextIdentity
        }
        defer { state.withLock { $0.handlers.removeAll { $0.id == identity } } }
        return try await body()
    }

    private func deliver(_ signal: Signal) {
        let handler = state.withLock { $0.handlers.last?.handler }
        guard let handler else { _exit(Launch.interrupted) }
        handler(signal)
    }
}
