import NIOCore
import Synchronization

/// Carries frames from any thread to the connections of one event loop. Frames that gather before the loop's next turn are handed
/// over together, and each connection is flushed once.
///
/// Bounded: when the loop falls so far behind that the queue is full, the waiting frames are dropped and every connection of the
/// loop reads the missed events from the store.
final class LoopQueue: Sendable {
    enum Item {
        case event(StreamSession, offset: Int64, frame: [UInt8])
        case notice(StreamSession, frame: [UInt8])
        /// The answer to a posted frame; the connection counts answers. Empty when the frame was dropped.
        case answer(StreamSession, frame: [UInt8])

        var session: StreamSession {
            switch self {
            case .event(let session, _, _), .notice(let session, _), .answer(let session, _): session
            }
        }
    }

    private static let capacity = 100_000

    private struct State {
        var items: [Item] = []
        var isScheduled = false
        var hasLost = false
    }

    let eventLoop: any EventLoop
    private let state = Mutex(State())
    /// Only used on the event loop.
    private let sessions: NIOLoopBoundBox<[ObjectIdentifier: StreamSession]>
    private let timer: NIOLoopBoundBox<RepeatedTask?>

    /// Must be called on the event loop.
    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.sessions = NIOLoopBoundBox([:], eventLoop: eventLoop)
        self.timer = NIOLoopBoundBox(nil, eventLoop: eventLoop)
    }

    func add(_ items: some Collection<Item> & Sendable) {
        let mustSchedule = state.withLock { state in
            if state.items.count + items.count > Self.capacity {
                // Keep the fact that a posted frame was answered: frames that wait for it would wait forever. There are never
                // more answers than messages that may wait to be written.
                state.items = (state.items + items).compactMap { item in
                    if case .answer(let session, _) = item { .answer(session, frame: []) } else { nil }
                }
                state.hasLost = true
            } else {
                state.items.append(contentsOf: items)
            }
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if mustSchedule { eventLoop.execute { self.drain() } }
    }

    /// Must be called on the event loop. The first session starts the timer that checks all sessions once a second.
    func join(_ session: StreamSession) {
        sessions.value[ObjectIdentifier(session)] = session
        guard timer.value == nil else { return }
        timer.value = eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in self.tick() }
    }

    /// Must be called on the event loop.
    func leave(_ session: StreamSession) {
        sessions.value[ObjectIdentifier(session)] = nil
        guard sessions.value.isEmpty else { return }
        timer.value?.cancel()
        timer.value = nil
    }

    /// Runs a closure for every connection of the loop, on the loop.
    func forEach(_ body: @escaping @Sendable (StreamSession) -> Void) {
        eventLoop.execute {
            for session in Array(self.sessions.value.values) { body(session) }
        }
    }

    private func tick() {
        let now = NIODeadline.now()
        for session in Array(sessions.value.values) { session.tick(now) }
    }

    private func drain() {
        let (items, hasLost) = state.withLock { state in
            defer { state = State() }
            return (state.items, state.hasLost)
        }
        for item in items {
            switch item {
            case .event(let session, let offset, let frame): session.committed(offset, frame: frame)
            case .notice(let session, let frame): session.write(frame, isNumbered: false)
            case .answer(let session, let frame): session.answered(frame)
            }
        }
        for item in items { item.session.flushIfNeeded() }
        guard hasLost else { return }
        for session in Array(sessions.value.values) { session.missedEvents() }
    }
}
