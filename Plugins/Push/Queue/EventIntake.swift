import SparkCore
import SparkKit
import SparkStorage

/// Records events that may become a push, in the transaction of the event itself, so no committed event is lost.
///
/// Users without a device are skipped; that costs a lookup by key.
struct EventIntake: Sendable {
    let rules: PushRules
    let wakeUp: WakeUp
    let metrics: PushMetrics

    func sent(_ event: MessageSent, in transaction: WriteTransaction) throws {
        try note(.message, subject: event.conversation.rawValue, seq: event.seq, to: event.to, in: transaction)
    }

    /// Skips the user whose like completed the match: that user got the match in the HTTP response.
    func matched(_ event: MatchCreated, in transaction: WriteTransaction) throws {
        for user in event.users where user != event.by {
            try note(.match, subject: event.conversation.rawValue, seq: 0, to: user, in: transaction)
        }
    }

    func liked(_ event: LikeReceived, in transaction: WriteTransaction) throws {
        try note(.like, subject: event.from.rawValue, seq: 0, to: event.to, in: transaction)
    }

    private func note(
        _ kind: PushKind, subject: Int64, seq: Int64, to user: UserID, in transaction: WriteTransaction
    ) throws {
        let hasDevice = try transaction.session.statement("SELECT 1 FROM push_devices WHERE user_id = ? LIMIT 1")
            .row([.integer(user.rawValue)]) { _ in true }
        guard hasDevice == true else { return }
        let mustLook = try BatchRows.add(kind, subject: subject, seq: seq, to: user, rules: rules, in: transaction)
        transaction.afterCommit { [metrics, wakeUp] in
            metrics.queued(kind)
            if mustLook { wakeUp.signal() }
        }
    }
}
