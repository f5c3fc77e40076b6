import Crypto
package import SparkCore
import SparkKit
import Synchronization

/// One-use tickets that stand for an access token where it must not be shown: in a URL. Kept in memory: a ticket does not outlive the
/// process, nor half a minute.
package final class StreamTickets: Sendable {
    package static let lifetime = Duration.seconds(30)
    private static let capacity = 100_000

    fileprivate struct Entry {
        let principal: Principal
        let expiresAt: Timestamp
    }

    fileprivate struct State {
        var entries: [String: Entry] = [:]
        /// In the order of issue, which is the order of expiry.
        var order: [String] = []
        var firstInOrder = 0
    }

    private let state = Mutex(State())
    private let clock: any WallClock

    package init(clock: any WallClock) { self.clock = clock }

    /// A new ticket: 256 bits of chance.
    /// - Throws: `EdgeError.overloaded` when too many wait to be used.
    package func issue(for principal: Principal) throws -> String {
        let ticket = SymmetricKey(size: .bits256).withUnsafeBytes { Base64URL.encode(Array($0)) }
        let now = clock.now()
        let isIssued = state.withLock { state in
            state.dropExpired(at: now)
            guard state.entries.count < Self.capacity else { return false }
            state.entries[ticket] = Entry(principal: principal, expiresAt: now + Self.lifetime)
            state.order.append(ticket)
            return true
        }
        guard isIssued else { throw EdgeError.overloaded }
        return ticket
    }

    /// Whom a ticket stands for; it is used up.
    /// - Throws: `EdgeError.unauthenticated` for one that is unknown, used or too old.
    package func redeem(_ ticket: String) throws -> Principal {
        let now = clock.now()
        guard let entry = state.withLock({ $0.entries.removeValue(forKey: ticket) }), entry.expiresAt > now,
            entry.principal.expiresAt > now
        else { throw EdgeError.unauthenticated }
        return entry.principal
    }
}

extension StreamTickets.State {
    fileprivate mutating func dropExpired(at now: Timestamp) {
        while firstInOrder < order.count {
            let ticket = order[firstInOrder]
            if let entry = entries[ticket] {
                guard entry.expiresAt <= now else { break }
                entries[ticket] = nil
            }
            firstInOrder += 1
        }
        if firstInOrder > 1_024, firstInOrder * 2 > order.count {
            order.removeFirst(firstInOrder)
            firstInOrder = 0
        }
    }
}
