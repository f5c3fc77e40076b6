import SparkCore
import SparkKit
import SparkStorage

/// The tables of evidence.
///
/// An erasure does not touch them: neither the reporter nor the reported person can remove a report's evidence by erasing their
/// account. It is deleted after its lifetime, see `EvidenceRetention`. The link to an erased reporter is removed, in
/// `matching_reports`.
enum EvidenceTables {
    static let all = [evidence, profiles, messages]

    /// A reporter's export lists the reports that have evidence. The reported person's export lists nothing.
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

    /// A person's own messages are exported by the module that stores them.
    private static let messages = TableDeclaration.userLinked(
        "matching_evidence_messages", export: { _, _ in [] }, erase: { _, _ in })
}
