import Crypto
package import SparkCore
import SparkHTTP
package import SparkKit
import Synchronization

/// Tickets replace an access token in a URL, where a token must not appear. They are kept in memory: a ticket does not outlive
/// the process.
///
/// A ticket must be used within 30 seconds. For a WebSocket it works once. For the event stream and polling it works repeatedly,
/// because a browser reconnects with the same URL, and expires after ten minutes without a connection. A ticket that was used for
/// one kind does not work for the other. It names a session; the caller that redeems it checks that the session is still live.
///
/// Times come from the server's clock. If the clock was set back, a time in the future is replaced by the current time.
package final class StreamTickets: Sendable {
    /// The kind of connection a ticket opens.
    package enum Use: Sendable {
        case socket
        /// The event stream and polls.
        case events
    }

    /// How long an unused ticket is valid.
    package static let lifetime = Duration.seconds(30)
    /// How long a ticket for events is valid without a connection.
    private static let idleLifetime = Duration.minutes(10)
    /// The most tickets per user. Beyond that the oldest ticket that is not in use is removed.
    static let perPerson = 32
    private static let capacity = 100_000
    /// The least time between two sweeps that look for room.
    private static let sweepDistance = Duration.seconds(1)

    fileprivate struct Entry {
        let principal: Principal
        /// When the ticket was issued, or last seen in use.
        var at: Timestamp
        var isUsed = false
        var connections = 0

        /// Whether the ticket can still be used.
        mutating func isValid(at now: Timestamp) -> Bool {
            if at > now { at = now }
            guard isUsed else { return now - at < StreamTickets.lifetime && principal.expiresAt > now }
            return connections > 0 || now - at < StreamTickets.idleLifetime
        }
    }

    fileprivate struct State {
        var entries: [String: Entry] = [:]
        /// Each user's tickets, the oldest first.
        var byPerson: [UserID: [String]] = [:]
        var sweptAt: Timestamp?
    }

    private let state = Mutex(State())
    private let clock: any WallClock

    /// An empty store of tickets.
    package init(clock: any WallClock) { self.clock = clock }

    /// Issues a new ticket of 256 random bits, in base64url.
    /// - Throws: `EdgeError.overloaded` when there are too many tickets.
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

    /// The principal that a ticket was issued for. A WebSocket uses the ticket up.
    ///
    /// This does not check the session: enter the hub first, then check that the session is live.
    /// - Parameters:
    ///   - use: the kind of connection to open.
    ///   - isProbe: only looks; the ticket does not change.
    /// - Throws: `EdgeError.unauthenticated` for a ticket that is unknown, expired or used for the other kind.
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
        // The ticket lasts as long as its session. The limited lifetime ends the connection now and then, so that the session is
        // checked.
        return Principal(
            user: found.principal.user, session: found.principal.session,
            expiresAt: max(found.principal.expiresAt, now + Self.idleLifetime))
    }

    /// Counts an open connection for events that used this ticket.
    func connected(_ ticket: String) { state.withLock { $0.entries[ticket]?.connections += 1 } }

    /// Counts the end of such a connection.
    func disconnected(_ ticket: String) {
        let now = clock.now()
        state.withLock { state in
            guard let entry = state.entries[ticket], entry.connections > 0 else { return }
            state.entries[ticket]?.connections = entry.connections - 1
            state.entries[ticket]?.at = now
        }
    }

    /// Removes the tickets of a session that ended, or of all the user's sessions if `session` is nil.
    func revoke(_ session: SessionID?, of user: UserID) {
        state.withLock { state in
            for ticket in state.byPerson[user] ?? [] {
                if session == nil || state.entries[ticket]?.principal.session == session { state.remove(ticket) }
            }
        }
    }

    /// Removes expired tickets. Called periodically.
    func sweep() {
        let now = clock.now()
        state.withLock { $0.sweep(at: now) }
    }

    /// Makes the tickets part of snapshots, as those of clients without a connection.
    package var fixtureState: FixtureState {
        FixtureState(module: "stream") { [self] in
            state.withLock { state in
                var copy = state
                for ticket in copy.entries.keys { copy.entries[ticket]?.connections = 0 }
                return copy
            }
        } restore: { [self] saved in
            state.withLock { $0 = saved }
        }
    }

    /// The number of stored tickets.
    var count: Int { state.withLock { $0.entries.count } }
}

extension StreamTickets.State {
    fileprivate mutating func remove(_ ticket: String) {
        guard let entry = entries.removeValue(forKey: ticket) else { return }
        let user = entry.principal.user
        byPerson[user]?.removeAll { $0 == ticket }
        if byPerson[user]?.isEmpty == true { byPerson[user] = nil }
    }

    /// Removes a user's expired tickets and, if the user still has the maximum, the oldest idle one.
    fileprivate mutating func makeRoom(for user: UserID, at now: Timestamp) {
        for ticket in byPerson[user] ?? [] where entries[ticket]?.isValid(at: now) != true { remove(ticket) }
        guard let tickets = byPerson[user], tickets.count >= StreamTickets.perPerson else { return }
        let idle = tickets.first { entries[$0]?.connections == 0 }
        if let oldest = idle ?? tickets.first { remove(oldest) }
    }

    /// - Parameter distance: does nothing if the last sweep was less than this ago.
    fileprivate mutating func sweep(at now: Timestamp, unlessWithin distance: Duration = .zero) {
        if let sweptAt, sweptAt <= now, now - sweptAt < distance { return }
        sweptAt = now
        for ticket in Array(entries.keys) where entries[ticket]?.isValid(at: now) != true { remove(ticket) }
    }
}

extension StreamTickets: TicketRedeeming {
    /// The principal of a ticket for events.
    package func redeem(_ ticket: String, isProbe: Bool) throws -> Principal {
        try redeem(ticket, for: .events, isProbe: isProbe)
    }
}
