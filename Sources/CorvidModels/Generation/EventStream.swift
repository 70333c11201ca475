/// Events of a piece of work that runs in a task of its own, for one reader.
///
/// The work is cancelled when the reader goes away: when its loop is left, its task is cancelled, or nobody
/// holds the stream any more. After ``cancel()`` a reader still gets what remains, with a last event that
/// says `cancelled`; a reader whose own task is cancelled gets nothing further.
public struct EventStream<Event: Sendable>: AsyncSequence, Sendable {
    public typealias Element = Event
    public typealias Failure = any Error

    private let stream: AsyncThrowingStream<Event, any Error>
    private let task: Task<Void, Never>

    /// - Parameter work: calls its argument for each event, in order.
    public init(
        _ work: @escaping @Sendable (_ emit: @escaping @Sendable (Event) -> Void) async throws -> Void
    ) {
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: Event.self)
        let task = Task {
            do {
                try await work { continuation.yield($0) }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        continuation.onTermination = { _ in task.cancel() }
        self.stream = stream
        self.task = task
    }

    /// Asks the work to end soon; what it has made so far still comes.
    public func cancel() {
        task.cancel()
    }

    public func makeAsyncIterator() -> Iterator {
        Iterator(base: stream.makeAsyncIterator(), reader: Reader(task: task))
    }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate var base: AsyncThrowingStream<Event, any Error>.Iterator
        fileprivate let reader: Reader

        public mutating func next() async throws -> Event? {
            try await base.next()
        }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws -> Event? {
            try await base.next(isolation: actor)
        }
    }

    /// Lives as long as somebody reads.
    fileprivate final class Reader: Sendable {
        let task: Task<Void, Never>

        init(task: Task<Void, Never>) {
            self.task = task
        }

        deinit {
            task.cancel()
        }
    }
}
