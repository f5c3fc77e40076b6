import SparkCore
import SparkKit
import SparkStorage
import Synchronization

/// Limits the messages and bytes that a person may send in a UTC day. A message that is deleted later still counts.
///
/// The counts are in memory, so a message needs no extra row. For a person who sends much, they are also written from time to
/// time, in the transaction of a message. A restart forgets at most what followed the last such write (`unwritten`).
final class MessageQuota: Sendable {
    /// The limits; 0 removes one.
    struct Limits: Hashable, Sendable {
        static let standard = Limits(messages: 5_000, bytes: 8_388_608)

        let messages: Int
        let bytes: Int

        /// Removes the limits that are at their defaults, for the ephemeral server under a test's load.
        var generous: Limits {
            Limits(
                messages: messages == Self.standard.messages ? 0 : messages, bytes: bytes == Self.standard.bytes ? 0 : bytes)
        }
    }

    /// How much a person may send between two writes of their counts.
    private static let unwritten = Use(messages: 50, bytes: 65_536)
    /// The most people in memory, in two generations. The counts of a forgotten person are read from the store, as after a
    /// restart.
    private static let capacity = 200_000

    struct Use: Hashable, Sendable {
        var messages = 0
        var bytes = 0
    }

    /// One person's counts of today, and the part of them that is stored.
    private struct Entry {
        var used: Use
        var written: Use
    }

    private struct State {
        var day: CivilDate?
        var recent: [UserID: Entry] = [:]
        var older: [UserID: Entry] = [:]

        mutating func begin(_ today: CivilDate) {
            guard day != today else { return }
            (day, recent, older) = (today, [:], [:])
        }

        mutating func keep(_ user: UserID, _ entry: Entry) {
            if recent.count >= MessageQuota.capacity / 2 { (older, recent) = (recent, [:]) }
            recent[user] = entry
        }
    }

    private let limits: Limits
    private let state = Mutex(State())

    init(limits: Limits) { self.limits = limits }

    func register(in registrar: inout ModuleRegistrar) {
        registrar.fixtureState { [self] in
            state.withLock { $0 }
        } restore: { [self] saved in
            state.withLock { $0 = saved }
        }
    }

    /// The counts for the messages of one transaction.
    func tally() -> Tally { Tally(quota: self) }

    /// Deletes the rows of past days.
    static func forgetDays(before today: CivilDate, in session: SQLSession) throws {
        try session.statement("DELETE FROM chat_usage WHERE day < ?").run([.integer(Int64(today.daysSinceEpoch))])
    }

    private func entry(of user: UserID, on day: CivilDate) -> Entry? {
        state.withLock { state in
            state.begin(day)
            return state.recent[user] ?? state.older[user]
        }
    }

    private func keep(_ entries: [UserID: Entry], on day: CivilDate) {
        state.withLock { state in
            state.begin(day)
            for (user, entry) in entries { state.keep(user, entry) }
        }
    }

    /// The counts of a transaction in progress. They take effect when it commits.
    struct Tally {
        private let quota: MessageQuota
        private var entries: [UserID: Entry] = [:]

        fileprivate init(quota: MessageQuota) { self.quota = quota }

        /// The error if the person may send no more today; nil otherwise.
        mutating func refusal(to user: UserID, bytes: Int, in transaction: WriteTransaction) throws -> ChatError? {
            let limits = quota.limits
            guard limits.messages > 0 || limits.bytes > 0 else { return nil }
            let used = try entry(of: user, in: transaction).used
            let isFull =
                limits.messages > 0 && used.messages >= limits.messages || limits.bytes > 0 && used.bytes + bytes > limits.bytes
            guard isFull else { return nil }
            let today = transaction.now.date
            return .quotaReached(today.startOfDay + .days(1) - transaction.now)
        }

        mutating func count(_ user: UserID, bytes: Int, in transaction: WriteTransaction) throws {
            guard quota.limits.messages > 0 || quota.limits.bytes > 0 else { return }
            var entry = try entry(of: user, in: transaction)
            entry.used.messages += 1
            entry.used.bytes += bytes
            if entry.used.messages - entry.written.messages >= unwritten.messages
                || entry.used.bytes - entry.written.bytes >= unwritten.bytes
            {
                try transaction.session.statement(
                    """
                    INSERT INTO chat_usage (user_id, day, messages, bytes) VALUES (?, ?, ?, ?)
                    ON CONFLICT (user_id) DO UPDATE SET day = excluded.day, messages = excluded.messages, bytes = excluded.bytes
                    """
                ).run([
                    .integer(user.rawValue), .integer(Int64(transaction.now.date.daysSinceEpoch)),
                    .integer(Int64(entry.used.messages)), .integer(Int64(entry.used.bytes)),
                ])
                entry.written = entry.used
            }
            entries[user] = entry
        }

        func keep(after transaction: WriteTransaction) {
            guard !entries.isEmpty else { return }
            let (quota, entries, day) = (quota, entries, transaction.now.date)
            transaction.afterCommit { quota.keep(entries, on: day) }
        }

        private mutating func entry(of user: UserID, in transaction: WriteTransaction) throws -> Entry {
            let day = transaction.now.date
            if let entry = entries[user] ?? quota.entry(of: user, on: day) { return entry }
            let written = try transaction.session.statement(
                "SELECT messages, bytes FROM chat_usage WHERE user_id = ? AND day = ?"
            ).row([.integer(user.rawValue), .integer(Int64(day.daysSinceEpoch))]) { row in
                Use(messages: Int(row.integer(0)), bytes: Int(row.integer(1)))
            }
            let entry = Entry(used: written ?? Use(), written: written ?? Use())
            entries[user] = entry
            return entry
        }
    }
}
