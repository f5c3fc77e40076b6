import SparkCore

/// The events of one kind that become one push to one person, and the decision about them: a state machine without I/O.
///
/// A batch gathers events until its time or size is reached. Then it is decided: cancelled with a reason, held (the app is open,
/// or quiet hours) or sent. A held batch is decided again later, with the facts of that time.
struct PushBatch: Hashable, Sendable {
    enum State: Int64, Sendable {
        /// Open for further events.
        case gathering = 0
        /// Full: further events begin another batch.
        case full = 1
        /// Open; the app was open when the batch was due.
        case heldWhileActive = 2
        /// Open; the batch was due in the person's quiet hours.
        case heldForQuiet = 3
        /// Being sent to the devices.
        case sending = 4
    }

    /// The decision about a batch.
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
    /// The number of events.
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

    /// Begins a batch with its first event.
    init(id: Int64, user: UserID, kind: PushKind, at now: Timestamp, rules: PushRules) {
        self.init(
            id: id, user: user, kind: kind, openedAt: now, state: .gathering, dueAt: now + rules.window, count: 0)
        add(at: now, rules: rules)
    }

    /// Whether further events may be added.
    var isOpen: Bool { state == .gathering || state == .heldWhileActive || state == .heldForQuiet }

    /// Takes one more event.
    mutating func add(at now: Timestamp, rules: PushRules) {
        count += 1
        // A time further ahead was set before the clock was set back.
        dueAt = min(dueAt, now + rules.longestWait(in: state))
        guard state == .gathering, count >= rules.batchSize else { return }
        state = .full
        dueAt = now
    }

    /// Decides a due batch. Checks in order: no news, no device, muted, too late, app open, quiet hours, daily cap.
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

/// The facts that decide a due batch.
struct PushFacts: Hashable, Sendable {
    /// At least one event is still unread, not deleted, not ended.
    var hasNews: Bool
    var hasDevice: Bool
    /// The kind or every conversation of the batch is muted.
    var isMuted: Bool
    /// The app is open and connected on a device.
    var isActive: Bool
    /// When the person's quiet hours end; nil outside of them.
    var quietUntil: Timestamp?
    /// Pushes already sent on the person's current day.
    var sentToday: Int
}

/// Why something is not pushed; a metric label.
enum CancelReason: String, CaseIterable, Sendable {
    case read
    case noDevice = "no_device"
    case muted
    case expired
    case active
    case capped
    /// A newer push covers it.
    case superseded
}
