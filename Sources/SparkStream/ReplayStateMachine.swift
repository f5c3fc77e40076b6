import SparkCore
import SparkStorage

/// Decides which of a user's numbered events one connection is sent, so that each event arrives once and in order, whatever is
/// committed while past events are read. Pure: results of the store and live events come in, actions go out.
///
/// A live event that arrives while past events are read is not kept: only its offset is noted, and the store is read again until
/// it has nothing newer. Duplicates are dropped, and a gap in the live events sends the connection back to the store. The result
/// therefore does not depend on how reads and deliveries interleave.
struct ReplayStateMachine {
    enum Phase: Equatable {
        /// The client has not sent `hello`.
        case silent
        /// The bounds of the event log are being read. `after` is nil when the client has no events and wants only new ones.
        case opening(after: Int64?)
        /// Events up to `last` were sent; the next ones are being read.
        case replaying(last: Int64)
        /// Every known event was sent.
        case live(last: Int64)
    }

    /// What the caller must do.
    enum Action: Equatable {
        /// Send the welcome frame with the newest offset.
        case welcome(head: Int64)
        /// Tell the client to reload everything it shows, and continue with new events.
        case resync(Reason)
        /// Read the events after this offset.
        case read(after: Int64)
        /// Tell the client it is caught up.
        case live(offset: Int64)
    }

    /// Why the client must reload. The raw value is sent in the `resync` frame.
    enum Reason: String, WireWord {
        /// The client's epoch is another one: the database was restored.
        case epoch
        /// The events the client asks for are no longer stored.
        case expired
        /// The client's offset is above the newest event.
        case ahead

        static let schemaName = "ResyncReason"
        static let summary = "Why the client must read again what it shows."
    }

    private(set) var phase = Phase.silent
    /// The newest known offset.
    private var newest: Int64 = 0
    /// Whether the client was sent `live`.
    private var isCaughtUp = false

    /// - Parameter offset: the last event that the client has; nil if it has none.
    /// - Returns: false if the client already sent `hello`.
    mutating func hello(after offset: Int64?) -> Bool {
        guard phase == .silent else { return false }
        phase = .opening(after: offset)
        return true
    }

    /// Takes the bounds of the stored events, and starts the replay.
    mutating func opened(_ bounds: UserEventBounds, isOtherEpoch: Bool) -> [Action] {
        guard case .opening(let after) = phase else { return [] }
        newest = max(newest, bounds.head)
        let greeting = Action.welcome(head: bounds.head)
        guard let after else { return [greeting] + catchUp(from: bounds.head) }
        if isOtherEpoch { return [greeting, .resync(.epoch)] + catchUp(from: bounds.head) }
        if after > bounds.head { return [greeting, .resync(.ahead)] + catchUp(from: bounds.head) }
        if after < bounds.floor { return [greeting, .resync(.expired)] + catchUp(from: bounds.head) }
        return [greeting] + catchUp(from: after)
    }

    /// Takes a page of past events.
    /// - Parameters:
    ///   - first: the first offset in the page; nil for an empty page.
    ///   - last: the newest offset in the page.
    /// - Returns: whether to send the page, and the actions that follow.
    mutating func read(first: Int64?, last: Int64) -> (isSent: Bool, actions: [Action]) {
        guard case .replaying(let before) = phase else { return (false, []) }
        guard let first else {
            return (false, newest > before ? [.resync(.expired)] + catchUp(from: newest) : catchUp(from: before))
        }
        // Retention deleted the next event in the meantime.
        guard first == before + 1 else { return (false, [.resync(.expired)] + catchUp(from: newest)) }
        return (true, catchUp(from: last))
    }

    /// Takes the offset of a committed event.
    /// - Returns: whether to send the event now, and the actions that follow.
    mutating func committed(_ offset: Int64) -> (isSent: Bool, actions: [Action]) {
        newest = max(newest, offset)
        guard case .live(let last) = phase, offset > last else { return (false, []) }
        if offset == last + 1 {
            phase = .live(last: offset)
            return (true, [])
        }
        phase = .replaying(last: last)
        return (false, [.read(after: last)])
    }

    /// Live events may have been dropped: reads the store again.
    mutating func lost() -> [Action] {
        guard case .live(let last) = phase else { return [] }
        phase = .replaying(last: last)
        return [.read(after: last)]
    }

    private mutating func catchUp(from last: Int64) -> [Action] {
        if newest > last {
            phase = .replaying(last: last)
            return [.read(after: last)]
        }
        phase = .live(last: last)
        defer { isCaughtUp = true }
        return isCaughtUp ? [] : [.live(offset: last)]
    }
}
