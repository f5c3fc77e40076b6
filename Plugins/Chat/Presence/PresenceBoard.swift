import SparkCore

/// Who is online, and who watches whom: plain data, told what happens and what time it is.
///
/// Online is whom a connection in the foreground has stood for three seconds; offline, whose last one has been gone for ten. So
/// neither a phone that comes and goes nor a page that is loaded anew makes anybody flicker.
struct PresenceBoard {
    static let settling = Duration.seconds(3)
    static let lingering = Duration.seconds(10)
    /// People that one connection may watch.
    static let mostWatched = 100
    /// Arrivals and departures that wait for their time at most; beyond, who arrives is not reported, and who goes is gone at
    /// once.
    private static let mostWaiting = 100_000

    private struct Person {
        /// Connections in the foreground.
        var connections: Set<UInt64> = []
        var isOnline = false
        /// Rises with each departure, so that an older one that waits means nothing.
        var departures = 0
    }

    /// What a connection knows of those it watches: what it was told last, nil for nothing yet.
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

    /// Replaces whom a connection watches.
    /// - Returns: false for a connection that is gone.
    mutating func watch(_ targets: [UserID], on connection: UInt64) -> Bool {
        guard let old = watchers[connection] else { return false }
        for target in old.told.keys { forget(target, connection) }
        watchers[connection]?.told = Dictionary(targets.map { ($0, nil) }, uniquingKeysWith: { first, _ in first })
        for target in targets { watched[target, default: []].insert(connection) }
        return true
    }

    /// Takes note of what a connection is told of somebody.
    /// - Parameter mayKnow: whether the one who watches may know it at all.
    /// - Returns: what to tell; nil when that is known, or nobody watches any more.
    mutating func tell(_ target: UserID, to connection: UInt64, mayKnow: Bool) -> Bool? {
        guard let known = watchers[connection]?.told[target] else { return nil }
        let isOnline = mayKnow && people[target]?.isOnline == true
        guard known != isOnline else { return nil }
        watchers[connection]?.told[target] = .some(isOnline)
        return isOnline
    }

    /// What others may know of somebody is not what it was.
    mutating func touch(_ user: UserID) {
        if watched[user] != nil { dirty.insert(user) }
    }

    /// These two have nothing to do with each other any more: neither watches the other.
    mutating func part(_ users: [UserID]) {
        for user in users {
            for connection in watched[user] ?? [] {
                guard let watcher = watchers[connection]?.user, watcher != user, users.contains(watcher) else { continue }
                watchers[connection]?.told[user] = nil
                forget(user, connection)
            }
        }
    }

    /// Lets pass what is due, and gives out whose state is to be told anew, and to whom.
    mutating func pass(at now: Timestamp) -> [(target: UserID, watchers: [(connection: UInt64, user: UserID)])] {
        // The two kinds wait for different times, so they do not stand in one order.
        var later: [(at: Timestamp, due: Due)] = []
        for item in waiting {
            // The clock was put back: nothing waits longer than the longer of the two times.
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

    /// How many connections, watches and people are remembered; all zero when everybody has gone.
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

    /// - Returns: false when too many wait.
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
