import SparkCore

/// The events of one kind that become one push to one person, and what has been decided of them: a state machine without I/O.
///
/// It gathers until its time or size is reached. Then it is decided: cancelled with a reason, held (the person is in the app, or it is
/// night), or sent. What is held is decided again later, with what is true by then.
struct PushBatch: Hashable, Sendable {
    enum State: Int64, Sendable {
        /// Open to further events.
        case gathering = 0
        /// Full: further events begin another one.
        case full = 1
        /// Open; the person was in the app when it was due.
        case heldWhileActive = 2
        /// Open; it was the person's night.
        case heldForQuiet = 3
        /// On its way to the devices.
        case sending = 4
    }

    /// What was decided.
    enum Decision: Hashable, Sendable {
        case hold
        case cancel(CancelReason)
        /// - Parameter isQuiet: without sound.
        case send(PushPriority, isQuiet: Bool)
    }

    let id: Int64
    let user: UserID
    let kind: PushKind
    let openedAt: Timestamp
    private(set) var state: State
    private(set) var dueAt: Timestamp
    /// Events in it.
    private(set) var count: Int

    init(id: Int64, user: UserID, kind: PushKind, openedAt: Timestamp, state: State, dueAt: Timestamp, count: Int) {
        self.id = id
        self.user = user
        self.kind = kind
        self.openedAt = openedAt
        self.state = state
        self.dueAt = dueAt
        self.count = count
    }

    /// One that begins with its first event.
    init(id: Int64, user: UserID, kind: PushKind, at now: Timestamp, rules: PushRules) {
        self.init(
            id: id, user: user, kind: kind, openedAt: now, state: .gathering, dueAt: now + rules.window, count: 0)
        add(at: now, rules: rules)
    }

    /// Whether further events may come in.
    var isOpen: Bool { state == .gathering || state == .heldWhileActive || state == .heldForQuiet }

    /// Takes one more event.
    mutating func add(at now: Timestamp, rules: PushRules) {
        count += 1
        // A time further ahead is of a clock that was put back since.
        dueAt = min(dueAt, now + rules.longestWait(in: state))
        guard state == .gathering, count >= rules.batchSize else { return }
        state = .full
        dueAt = now
    }

    /// Decides, once it is due. The order is the order of what matters: nothing to tell, nobody to tell it to, does not want to hear it,
    /// too late, knows it already, asleep, has heard enough.
    mutating func decide(_ facts: PushFacts, at now: Timestamp, rules: PushRules) -> Decision {
        if !facts.hasNews { return .cancel(.read) }
        if !facts.hasDevice { return .cancel(.noDevice) }
        if facts.isMuted { return .cancel(.muted) }
        if now - openedAt > rules.lifetime { return .cancel(.expired) }
        if facts.isActive {
            if state == .heldWhileActive { return .cancel(.active) }
            return hold(.heldWhileActive, until: now + rules.activeRecheck)
        }
        if let end = facts.quietUntil, end > now { return hold(.heldForQuiet, until: end) }
        if facts.sentToday >= rules.dailyCap { return .cancel(.capped) }
        state = .sending
        return .send(kind.priority, isQuiet: kind.priority == .low)
    }

    private mutating func hold(_ held: State, until end: Timestamp) -> Decision {
        state = held
        dueAt = end
        return .hold
    }
}

/// What is true when a batch is due.
struct PushFacts: Hashable, Sendable {
    /// Something in it is still unread, not deleted, not over.
    var hasNews: Bool
    var hasDevice: Bool
    /// The kind, or every conversation in it.
    var isMuted: Bool
    /// The app is open and connected on some device.
    var isActive: Bool
    /// When the person's quiet hours end; nil outside of them.
    var quietUntil: Timestamp?
    /// Pushes on this day of the person's.
    var sentToday: Int
}

/// Why something is not pushed; a label of metrics.
enum CancelReason: String, CaseIterable, Sendable {
    case read
    case noDevice = "no_device"
    case muted
    case expired
    case active
    case capped
    /// A newer push says it all.
    case superseded
}
