import SparkCore
import SparkKit
import SparkStorage

/// The tables of evidence.
///
/// They are apart from erasure: neither of the two people of a report can make it go by erasing themselves. It goes when its time is
/// over, see `EvidenceRetention`. What led from it to a reporter who was erased goes with them, in `matching_reports`.
enum EvidenceTables {
    static let all = [evidence, profiles, messages]

    /// Whoever reported is told of which reports evidence is kept; whoever was reported, of nothing.
    private static let evidence = TableDeclaration.userLinked(
        "matching_evidence",
        export: { session, user in
            return try session.rows(
                """
                SELECT e.report_id, e.captured_at FROM matching_evidence e JOIN matching_reports r ON r.id = e.report_id
                WHERE r.reporter_id = ? ORDER BY e.report_id
                """, user.rawValue
            ) { row in
                .object([
                    JSONMember("report_id", .string(ReportID(rawValue: row[0]).wire)),
                    JSONMember("captured_at", .string(Timestamp(milliseconds: row[1]).description)),
                ])
            }
        }, erase: { _, _ in })

    private static let profiles = TableDeclaration.userLinked(
        "matching_evidence_profiles", export: { _, _ in [] }, erase: { _, _ in })

    /// One's own messages are exported from where they were sent.
    private static let messages = TableDeclaration.userLinked(
        "matching_evidence_messages", export: { _, _ in [] }, erase: { _, _ in })
}
