import Crypto
package import SparkCore
import SparkKit
import Synchronization

/// Tickets that stand for an access token where it must not be shown: in a URL. Kept in memory: a ticket does not outlive the process.
///
/// A ticket must be used within half a minute. For a WebSocket it works once. For the event stream and polling it works again, because
/// a browser comes back by itself with the same URL: until ten minutes pass without a connection. A ticket that was used for one kind
/// is of no use for the other. It names a session, and whoever redeems it asks whether that is still live.
///
/// Times are the server's. A time that lies ahead was taken under a clock that was set back since; it counts from now on.
package final class StreamTickets: Sendable {
    /// What a ticket is used for.
    package enum Use: Sendable {
        case socket
        /// The event stream and polls.
        case events
    }

    /// Until the first use.
    package static let lifetime = Duration.seconds(30)
    /// Without a connection, for one that was used for events.
    static let idleLifetime = Duration.minutes(10)
    /// Tickets of one person; beyond, the oldest that is not in use gives way.
    static let perPerson = 32
    private static let capacity = 100_000
    /// All tickets are looked through no more often than this when there is no room.
    private static let sweepDistance = Duration.seconds(1)

    fileprivate struct Entry {
        let principal: Principal
        /// Issued, or last seen in use.
        var at: Timestamp
        var isUsed = false
        var connections = 0

        /// Whether it can still be used.
        mutating func isValid(at now: Timestamp) -> Bool {
            if at > now { at = now }
            guard isUsed else { return now - at < StreamTickets.lifetime && principal.expiresAt > now }
            return connections > 0 || now - at < StreamTickets.idleLifetime
        }
    }

    fileprivate struct State {
        var entries: [String: Entry] = [:]
        /// Each person's tickets, the oldest first.
        var byPerson: [UserID: [String]] = [:]
        var sweptAt: Timestamp?
    }

    private let state = Mutex(State())
    private let clock: any WallClock

    package init(clock: any WallClock) { self.clock = clock }

    /// A new ticket: 256 bits of chance.
    /// - Throws: `EdgeError.overloaded` when there are too many.
    package func issue(for principal: Principal) throws -> String {
        let ticket = SymmetricKey(size: .bits256).withUnsafeBytes { Base64URL.encode(Array($0)) }
        let now = clock.now()
        let isIssued = state.withLock { state in
            state.makeRoom(for: principal.user, at: now)
            if state.entries.count >= Self.capacity { state.sweep(at: now, unlessWithin: Self.sweepDistance) }
            guard state.entries.count < Self.capacity else { return false }
            state.entries[ticket] = Entry(principal: principal, at: now)
            state.byPerson[principal.user, default: []].append(ticket)
            return true
        }
        guard isIssued else { throw EdgeError.overloaded }
        return ticket
    }

    /// Whom a ticket stands for. For a WebSocket it is used up.
    ///
    /// Says nothing about the session: enter the hub first, then ask whether it is live.
    /// - Parameters:
    ///   - use: what it is to open.
    ///   - isProbe: only looks; the ticket stays as it is.
    /// - Throws: `EdgeError.unauthenticated` for one that is unknown, used for something else, or too old.
    package func redeem(_ ticket: String, for use: Use, isProbe: Bool = false) throws -> Principal {
        let now = clock.now()
        let found: Entry? = state.withLock { state in
            guard var entry = state.entries[ticket] else { return nil }
            guard entry.isValid(at: now) else {
                state.remove(ticket)
                return nil
            }
            state.entries[ticket] = entry
            guard use == .events || !entry.isUsed else { return nil }
            if isProbe { return entry }
            if use == .socket {
                state.remove(ticket)
            } else {
                entry.isUsed = true
                entry.at = now
                state.entries[ticket] = entry
            }
            return entry
        }
        guard let found else { throw EdgeError.unauthenticated }
        guard use == .events else { return found.principal }
        // It lasts as long as its session; a connection ends now and then, so that the session is asked about again.
        return Principal(
            user: found.principal.user, session: found.principal.session,
            expiresAt: max(found.principal.expiresAt, now + Self.idleLifetime))
    }

    /// A connection for events that came with this ticket is open.
    func connected(_ ticket: String) { state.withLock { $0.entries[ticket]?.connections += 1 } }

    /// Such a connection has ended.
    func disconnected(_ ticket: String) {
        let now = clock.now()
        state.withLock { state in
            guard let entry = state.entries[ticket], entry.connections > 0 else { return }
            state.entries[ticket]?.connections = entry.connections - 1
            state.entries[ticket]?.at = now
        }
    }

    /// Forgets the tickets of a session that ended; of all of the person's sessions if nil.
    func revoke(_ session: SessionID?, of user: UserID) {
        state.withLock { state in
            for ticket in state.byPerson[user] ?? [] {
                if session == nil || state.entries[ticket]?.principal.session == session { state.remove(ticket) }
            }
        }
    }

    /// Forgets tickets that are too old; to be called now and then.
    func sweep() {
        let now = clock.now()
        state.withLock { $0.sweep(at: now) }
    }

    /// Tickets that are kept.
    var count: Int { state.withLock { $0.entries.count } }
}

extension StreamTickets.State {
    fileprivate mutating func remove(_ ticket: String) {
        guard let entry = entries.removeValue(forKey: ticket) else { return }
        let user = entry.principal.user
        byPerson[user]?.removeAll { $0 == ticket }
        if byPerson[user]?.isEmpty == true { byPerson[user] = nil }
    }

    /// Forgets a person's tickets that are too old, and if need be the oldest.
    fileprivate mutating func makeRoom(for user: UserID, at now: Timestamp) {
        for ticket in byPerson[user] ?? [] where entries[ticket]?.isValid(at: now) != true { remove(ticket) }
        guard let tickets = byPerson[user], tickets.count >= StreamTickets.perPerson else { return }
        let idle = tickets.first { entries[$0]?.connections == 0 }
        if let oldest = idle ?? tickets.first { remove(oldest) }
    }

    /// - Parameter distance: nothing is done if the last time was less than this ago.
    fileprivate mutating func sweep(at now: Timestamp, unlessWithin distance: Duration = .zero) {
        if let sweptAt, sweptAt <= now, now - sweptAt < distance { return }
        sweptAt = now
        for ticket in Array(entries.keys) where entries[ticket]?.isValid(at: now) != true { remove(ticket) }
    }
}
