import SparkStorage

/// Decides what one connection is sent of its user's numbered events, so that each comes once and in order, whatever is committed
/// while the past is read. Pure: answers of the store and live events come in, actions go out.
///
/// Live events that come while the past is read are not kept: their numbers are noted, and the store is read again until nothing
/// newer is known. What came twice is dropped, and a hole in what comes live sends the connection back to the store; so nothing
/// depends on the order in which reading and delivery happen to run.
struct ReplayStateMachine {
    enum Phase: Equatable {
        /// No hello yet.
        case silent
        /// The bounds were asked for. Nil: the client has nothing and wants the present only.
        case opening(after: Int64?)
        /// Events up to `last` were sent, the next ones are being read.
        case replaying(last: Int64)
        /// All that is known was sent.
        case live(last: Int64)
    }

    enum Action: Equatable {
        /// Greet with the newest offset.
        case welcome(head: Int64)
        /// Tell the client to read again what it shows, and go on from the present.
        case resync(Reason)
        /// Read the events after this offset.
        case read(after: Int64)
        /// Tell that the past is told.
        case live(offset: Int64)
    }

    enum Reason: String {
        /// Another history: the database was restored.
        case epoch
        /// What the client asks for is no longer kept.
        case expired
        /// The client knows more than there is.
        case ahead
    }

    private(set) var phase = Phase.silent
    /// The newest offset that is known of.
    private var newest: Int64 = 0
    /// The client was told that the past is told.
    private var isCaughtUp = false

    /// - Parameters:
    ///   - offset: the last event that the client has; nil if none.
    /// - Returns: false if the client said hello before.
    mutating func hello(after offset: Int64?) -> Bool {
        guard phase == .silent else { return false }
        phase = .opening(after: offset)
        return true
    }

    /// What is kept was found.
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

    /// A page of the past was read.
    /// - Parameters:
    ///   - first: the first offset in it; nil for an empty page.
    ///   - last: the newest offset in it.
    /// - Returns: whether it is to be sent, and what to do after that.
    mutating func read(first: Int64?, last: Int64) -> (isSent: Bool, actions: [Action]) {
        guard case .replaying(let before) = phase else { return (false, []) }
        guard let first else {
            return (false, newest > before ? [.resync(.expired)] + catchUp(from: newest) : catchUp(from: before))
        }
        // Retention took what was next in the meantime.
        guard first == before + 1 else { return (false, [.resync(.expired)] + catchUp(from: newest)) }
        return (true, catchUp(from: last))
    }

    /// An event was committed.
    /// - Returns: whether it is to be sent now, and what else to do.
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

    /// Events may have been missed.
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
