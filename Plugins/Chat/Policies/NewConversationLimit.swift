import SparkCore
import SparkStorage

/// Limits how many conversations a person may open in a UTC day. The limit halves for each person who reported the sender in the
/// last 30 days, and is at least one.
///
/// Several reports by one person count once. A report that was decided as unfounded does not count.
struct NewConversationLimit: MessagePolicy {
    private static let reportLifetime = Duration.days(30)

    /// 0 removes the limit.
    let perDay: Int

    func judge(_ draft: MessageDraft, at now: Timestamp, in work: any UnitOfWork) throws -> MessageVerdict {
        guard draft.isOpening, perDay > 0 else { return .allow }
        let (session, today) = (work.transaction.session, now.date)
        let opened = try PolicyRows.opened(by: draft.from, on: today, session)
        let reporters = try PolicyRows.reporters(of: draft.from, since: now - Self.reportLifetime, session)
        let limit = max(1, perDay >> Int(min(reporters, 62)))
        guard opened >= limit else { return .allow }
        return .deny(ChatError.newConversationLimit(now.date.startOfDay + .days(1) - now))
    }
}
