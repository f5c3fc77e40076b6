import SparkCore
import SparkKit
import Synchronization

/// Wakes whoever waits for a user's events without a WebSocket: an event stream or a poll. Wake-ups that come before one waits are
/// kept, as one.
final class EventFeed: Sendable {
    fileprivate struct State {
        var hasSignal = false
        var hasEnded = false
        /// Who waits, the one of this number.
        var waiter: CheckedContinuation<Bool, Never>?
        var number = 0
    }

    let user: UserID
    let session: SessionID
    private let expiresAt: Timestamp
    private let state = Mutex(State())

    init(_ principal: Principal) {
        self.user = principal.user
        self.session = principal.session
        self.expiresAt = principal.expiresAt
    }

    /// The user has a new event.
    func wake() {
        let waiter = state.withLock { state in
            state.hasSignal = state.waiter == nil
            return state.takeWaiter()
        }
        waiter?.resume(returning: true)
    }

    /// The feed is to end: the session was revoked, the client is gone, or the server goes away.
    func end() {
        let waiter = state.withLock { state in
            state.hasEnded = true
            return state.takeWaiter()
        }
        waiter?.resume(returning: false)
    }

    /// Whether the token still holds.
    func isOpen(at now: Timestamp) -> Bool { expiresAt > now }

    /// Returns after a wake-up, after so long, or when the feed ended. One waits at a time.
    /// - Returns: false when it ended.
    func wait(atMost limit: Duration) async -> Bool {
        let number = state.withLock { state in
            state.number += 1
            return state.number
        }
        let alarm = Task {
            try? await Task.sleep(for: limit)
            timeOut(number)
        }
        defer { alarm.cancel() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if state.hasEnded || Task.isCancelled { return false }
                    if state.hasSignal {
                        state.hasSignal = false
                        return true
                    }
                    state.waiter = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            end()
        }
    }

    private func timeOut(_ number: Int) {
        let waiter = state.withLock { state in state.number == number ? state.takeWaiter() : nil }
        waiter?.resume(returning: true)
    }
}

extension EventFeed.State {
    fileprivate mutating func takeWaiter() -> CheckedContinuation<Bool, Never>? {
        defer { waiter = nil }
        return waiter
    }
}

/// Lets a feed go when nobody holds it any more, however its request ended.
final class FeedLease: Sendable {
    private let hub: Hub
    let feed: EventFeed

    init(_ feed: EventFeed, hub: Hub) {
        self.feed = feed
        self.hub = hub
    }

    deinit { hub.leave(feed) }
}

/// Tells a user's events piece by piece, as Server-Sent Events (WHATWG HTML, section 9.2): the offset is the event's id, so a browser
/// that comes back says by itself where it was.
actor EventStreamBody {
    private let hub: Hub
    private let feed: EventFeed
    private let reader: StreamReader
    private var replay = ReplayStateMachine()
    private var waiting: [ReplayStateMachine.Action] = []
    private let isOtherEpoch: Bool
    private var hasBegun = false

    /// A comment keeps the connection open through proxies.
    private static let silence = Duration.seconds(15)

    init(hub: Hub, feed: EventFeed, after offset: Int64?, isOtherEpoch: Bool) {
        self.hub = hub
        self.feed = feed
        self.reader = hub.reader
        self.isOtherEpoch = isOtherEpoch
        _ = replay.hello(after: offset)
    }

    /// The next piece; nil at the end.
    /// - Parameter lease: held by who asks.
    func next(keeping lease: FeedLease) async -> [UInt8]? {
        do {
            if !hasBegun {
                hasBegun = true
                waiting = replay.opened(try reader.bounds(of: feed.user), isOtherEpoch: isOtherEpoch)
            }
            while true {
                if let piece = try piece() { return piece }
                guard await feed.wait(atMost: Self.silence), feed.isOpen(at: hub.clock.now()) else { return nil }
                let before = waiting.count
                waiting += replay.lost()
                if let piece = try piece() { return piece }
                if waiting.count == before { return Array(": \n\n".utf8) }
            }
        } catch {
            return nil
        }
    }

    /// What the actions at hand come to; nil when there is nothing to say.
    private func piece() throws -> [UInt8]? {
        var bytes: [UInt8] = []
        while !waiting.isEmpty {
            switch waiting.removeFirst() {
            case .welcome(let head):
                bytes += event("welcome", id: nil) { writer in
                    writer.field("epoch", hub.epoch)
                    writer.field("offset", head)
                    writer.field("now", hub.clock.now())
                }
            case .resync(let reason): bytes += event("resync", id: nil) { $0.field("reason", reason.rawValue) }
            case .live(let offset): bytes += event("live", id: offset) { $0.field("offset", offset) }
            case .read(let after):
                let page = try reader.page(of: feed.user, after: after)
                let (isSent, actions) = replay.read(first: page.frames.first?.offset, last: page.frames.last?.offset ?? after)
                if isSent { for (offset, frame) in page.frames { bytes += line(frame, id: offset) } }
                waiting += actions
                if bytes.count > SendBacklog.maximumBytes { return bytes }
            }
        }
        return bytes.isEmpty ? nil : bytes
    }

    private func event(_ type: String, id: Int64?, _ members: (inout JSONWriter) -> Void) -> [UInt8] {
        line(Frame.bytes(type, members), id: id)
    }

    /// JSON has no line breaks, so one `data` line holds it. The type stands in it; `event:` is not used, so that one listener in the
    /// browser hears all.
    private func line(_ frame: [UInt8], id: Int64?) -> [UInt8] {
        Array((id.map { "id: \($0)\n" } ?? "").utf8) + Array("data: ".utf8) + frame + Array("\n\n".utf8)
    }
}
