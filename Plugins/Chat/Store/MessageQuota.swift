import SparkCore
import SparkStorage
import Synchronization

/// How many messages and bytes a person may send in a UTC day. Counts what was done: what is deleted later counts all the same.
///
/// The counts are in memory, so a message costs no row of its own. A person who sends much has them written down now and then, in
/// the transaction of the message; a restart forgets at most what came after (`unwritten`).
final class MessageQuota: Sendable {
    /// 0 lifts a limit.
    struct Limits: Hashable, Sendable {
        static let standard = Limits(messages: 5_000, bytes: 8_388_608)

        let messages: Int
        let bytes: Int

        /// Out of reach where they were left at their defaults: for the ephemeral server under a test's load.
        var generous: Limits {
            Limits(
                messages: messages == Self.standard.messages ? 0 : messages, bytes: bytes == Self.standard.bytes ? 0 : bytes)
        }
    }

    /// What may be sent between two writings of a person's row.
    private static let unwritten = Use(messages: 50, bytes: 65_536)
    /// People remembered at most, in two generations. Whom both have lost is read again, as after a restart.
    private static let capacity = 200_000

    struct Use: Hashable, Sendable {
        var messages = 0
        var bytes = 0
    }

    /// The counts of one person today, and the part of them that is written down.
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

    /// For the messages of one transaction.
    func tally() -> Tally { Tally(quota: self) }

    /// Forgets the rows of days that are over.
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

    /// The counts of a transaction under way; they stand once it is committed.
    struct Tally {
        private let quota: MessageQuota
        private var entries: [UserID: Entry] = [:]

        fileprivate init(quota: MessageQuota) { self.quota = quota }

        /// Why a person may send no more today; nil while they may.
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
