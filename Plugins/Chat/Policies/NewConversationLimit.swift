import SparkCore
import SparkStorage

/// How many conversations a person may open in a UTC day: fewer for those whom others have reported, never none.
///
/// What counts is how many different people reported somebody, not how often one of them did; a report that was found to be nothing
/// does not count.
struct NewConversationLimit: MessagePolicy {
    private static let reportLifetime = Duration.days(30)

    /// 0 lifts the limit.
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
