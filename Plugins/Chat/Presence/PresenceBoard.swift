import SparkCore

/// The state of presence: who is online, and which users each connection watches. Plain data; the caller supplies events and the
/// time.
///
/// A user comes online after a foreground connection has been open for three seconds, and goes offline ten seconds after the last
/// one closed. Neither a flaky phone connection nor a page reload makes the state flicker.
struct PresenceBoard {
    private static let settling = Duration.seconds(3)
    private static let lingering = Duration.seconds(10)
    /// The most people that one connection may watch.
    static let mostWatched = 100
    /// The most arrivals and departures that may wait. Beyond this, an arriving user is not reported, and a leaving user goes
    /// offline at once.
    private static let mostWaiting = 100_000

    private struct Person {
        /// The open foreground connections.
        var connections: Set<UInt64> = []
        var isOnline = false
        /// Incremented by each departure, so that a waiting older departure is ignored.
        var departures = 0
    }

    /// The state last sent to a connection for each person it watches; nil before the first report.
    private struct Watcher {
        let user: UserID
        var told: [UserID: Bool?] = [:]
    }

    private enum Due {
        case arrival(UserID, connection: UInt64)
        case departure(UserID, number: Int)
    }

    private var people: [UserID: Person] = [:]
    private var watchers: [UInt64: Watcher] = [:]
    private var watched: [UserID: Set<UInt64>] = [:]
    private var waiting: [(at: Timestamp, due: Due)] = []
    private var dirty: Set<UserID> = []

    mutating func connected(_ connection: UInt64, of user: UserID, isBackground: Bool, at now: Timestamp) {
        watchers[connection] = Watcher(user: user)
        guard !isBackground else { return }
        people[user, default: Person()].connections.insert(connection)
        wait(for: .arrival(user, connection: connection), until: now + Self.settling)
    }

    mutating func disconnected(_ connection: UInt64, at now: Timestamp) {
        guard let watcher = watchers.removeValue(forKey: connection) else { return }
        for target in watcher.told.keys { forget(target, connection) }
        guard var person = people[watcher.user], person.connections.remove(connection) != nil else { return }
        if person.connections.isEmpty {
            person.departures += 1
            if person.isOnline, !wait(for: .departure(watcher.user, number: person.departures), until: now + Self.lingering) {
                person.isOnline = false
                touch(watcher.user)
            }
        }
        people[watcher.user] = person.connections.isEmpty && !person.isOnline ? nil : person
    }

    /// Replaces the people that a connection watches.
    /// - Returns: false if the connection is closed.
    mutating func watch(_ targets: [UserID], on connection: UInt64) -> Bool {
        guard let old = watchers[connection] else { return false }
        for target in old.told.keys { forget(target, connection) }
        watchers[connection]?.told = Dictionary(targets.map { ($0, nil) }, uniquingKeysWith: { first, _ in first })
        for target in targets { watched[target, default: []].insert(connection) }
        return true
    }

    /// Records that a connection is sent a person's state.
    /// - Parameter mayKnow: whether the viewer may learn the person's state. If not, the person is reported as offline.
    /// - Returns: the state to send; nil if the connection has it already or no longer watches the person.
    mutating func tell(_ target: UserID, to connection: UInt64, mayKnow: Bool) -> Bool? {
        guard let known = watchers[connection]?.told[target] else { return nil }
        let isOnline = mayKnow && people[target]?.isOnline == true
        guard known != isOnline else { return nil }
        watchers[connection]?.told[target] = .some(isOnline)
        return isOnline
    }

    /// Marks a user's state for a check at the next pass.
    mutating func touch(_ user: UserID) {
        if watched[user] != nil { dirty.insert(user) }
    }

    /// Ends the watching between these users.
    mutating func part(_ users: [UserID]) {
        for user in users {
            for connection in watched[user] ?? [] {
                guard let watcher = watchers[connection]?.user, watcher != user, users.contains(watcher) else { continue }
                watchers[connection]?.told[user] = nil
                forget(user, connection)
            }
        }
    }

    /// Applies the waiting changes whose time has come. Returns the people to report, each with the connections that watch them.
    mutating func pass(at now: Timestamp) -> [(target: UserID, watchers: [(connection: UInt64, user: UserID)])] {
        // Arrivals and departures wait for different times, so the list is not sorted by time.
        var later: [(at: Timestamp, due: Due)] = []
        for item in waiting {
            // If the clock was set back, nothing waits longer than the longest delay.
            let at = min(item.at, now + Self.lingering)
            if at > now { later.append((at, item.due)) } else { come(item.due) }
        }
        waiting = later
        defer { dirty = [] }
        return dirty.map { target in
            let connections = (watched[target] ?? []).compactMap { connection in
                watchers[connection].map { (connection, $0.user) }
            }
            return (target, connections)
        }
    }

    /// When the next waiting change comes; the beginning of time if somebody's state is to be checked, nil if nothing waits.
    var nextChange: Timestamp? {
        dirty.isEmpty ? waiting.lazy.map(\.at).min() : Timestamp(milliseconds: 0)
    }

    /// The numbers of connections, watched people and present people; all zero once everybody has left.
    var sizes: [Int] { [watchers.count, watched.count, people.count] }

    private mutating func come(_ due: Due) {
        switch due {
        case .arrival(let user, let connection):
            guard people[user]?.connections.contains(connection) == true, people[user]?.isOnline == false else { return }
            people[user]?.isOnline = true
            touch(user)
        case .departure(let user, let number):
            guard let person = people[user], person.connections.isEmpty, person.departures == number else { return }
            people[user] = nil
            touch(user)
        }
    }

    /// - Returns: false if too many changes wait.
    @discardableResult
    private mutating func wait(for due: Due, until time: Timestamp) -> Bool {
        guard waiting.count < Self.mostWaiting else { return false }
        waiting.append((time, due))
        return true
    }

    private mutating func forget(_ target: UserID, _ connection: UInt64) {
        watched[target]?.remove(connection)
        if watched[target]?.isEmpty == true { watched[target] = nil }
    }
}
