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
        let session = work.transaction.session
        let sender = SQLValue.integer(draft.from.rawValue)
        let opened =
            try session.statement(
                "SELECT count(*) FROM chat_conversations WHERE opened_by = ? AND opened_at >= ? AND opened_at < ?"
            ).row([sender, .time(now.date.startOfDay), .time(now.date.startOfDay + .days(1))]) { $0.integer(0) } ?? 0
        let reporters =
            try session.statement(
                """
                SELECT count(DISTINCT coalesce(reporter_id, -reporter_tag, 0)) FROM matching_reports
                WHERE target_id = ? AND created_at > ? AND decision IS NOT 'none'
                """
            ).row([sender, .time(now - Self.reportLifetime)]) { $0.integer(0) } ?? 0
        let limit = max(1, perDay >> Int(min(reporters, 62)))
        guard opened >= limit else { return .allow }
        return .deny(ChatError.newConversationLimit(now.date.startOfDay + .days(1) - now))
    }
}
