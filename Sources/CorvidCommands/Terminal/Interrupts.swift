import Dispatch
import Foundation
import Synchronization

/// SIGINT and SIGTERM as calls of the newest handler, outside of any signal handler.
final class Interrupts: Sendable {
    enum Signal: Sendable { case interrupt, terminate }
    typealias Handler = @Sendable (Signal) -> Void

    static let shared = Interrupts()

    private let handlers: Handlers
    // Sound: made in `init` and only kept alive afterwards.
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

    /// Returns when it hears every signal.
    private init() {
        let queue = DispatchQueue(label: "corvid.interrupts")
        let handlers = Handlers()
        let registered = DispatchGroup()
        let watched: [(Int32, Signal)] = [(SIGINT, .interrupt), (SIGTERM, .terminate)]
        sources = watched.map { number, signal in
            // The default action would end the process before the source hears of it.
            Foundation.signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { handlers.deliver(signal) }
            registered.enter()
            source.setRegistrationHandler { registered.leave() }
            source.resume()
            return source
        }
        self.handlers = handlers
        // A signal before that would be lost, since nobody else acts on it.
        registered.wait()
    }

    /// Runs `body`; signals meanwhile go to `handler`.
    func handling<Result: Sendable>(
        _ handler: @escaping Handler, _ body: () async throws -> Result
    ) async rethrows -> Result {
        let identity = handlers.add(handler)
        defer { handlers.remove(identity) }
        return try await body()
    }
}

/// Who wants to hear of signals.
private final class Handlers: Sendable {
    private struct State {
        var handlers: [(id: Int, handler: Interrupts.Handler)] = []
        var nextIdentity = 0
    }

    private let state = Mutex(State())

    func add(_ handler: @escaping Interrupts.Handler) -> Int {
        state.withLock { state in
            state.nextIdentity += 1
            state.handlers.append((state.nextIdentity, handler))
            return state.nextIdentity
        }
    }

    func remove(_ identity: Int) { state.withLock { $0.handlers.removeAll { $0.id == identity } } }

    func deliver(_ signal: Interrupts.Signal) {
        let handler = state.withLock { $0.handlers.last?.handler }
        guard let handler else { _exit(Launch.interrupted) }
        handler(signal)
    }
}
