import SparkCore

/// How a report was decided; the raw values are on the wire and in the store.
enum ReportDecision: String, CaseIterable, Sendable {
    /// There was nothing to it; it counts against nobody.
    case none
    case warned
    case suspended

    static let words = allCases.map(\.rawValue)
}

/// A report as those who moderate see it.
struct ReportCase: Sendable {
    let id: ReportID
    let category: String
    /// What the reporter wrote.
    let statement: String
    let createdAt: Timestamp
    /// Nil once they are erased.
    let reporter: UserID?
    let target: UserID
    let isTargetErased: Bool
    let closedAt: Timestamp?
    let decision: String?
    let note: String?
    /// Different people who reported the same person.
    let reporters: Int

    var members: [JSONMember] {
        [
            JSONMember("id", .string(id.wire)), JSONMember("category", .string(category)),
            JSONMember("state", .string(closedAt == nil ? "open" : "closed")),
            JSONMember("created_at", .string("\(createdAt)")),
            JSONMember("reporter_id", reporter.map { .string($0.wire) } ?? .null),
            JSONMember("target_id", .string(target.wire)), JSONMember("target_erased", .bool(isTargetErased)),
            JSONMember("reporters_of_target", .integer(Int64(reporters))),
            JSONMember("closed_at", closedAt.map { .string("\($0)") } ?? .null),
            JSONMember("decision", decision.map { .string($0) } ?? .null), JSONMember("note", note.map { .string($0) } ?? .null),
        ]
    }
}

/// What was so when a report was made.
struct KeptEvidence: Sendable {
    let capturedAt: Timestamp
    /// A JSON object; nil for somebody who was erased already.
    let profile: [UInt8]?
    let conversation: ConversationID?
    /// By place, then by when each version was kept.
    let messages: [KeptMessage]
}

struct KeptMessage: Sendable {
    let seq: Int64
    let isFromTarget: Bool
    let content: MessageContent
    let text: String
    let sentAt: Timestamp
    let editedAt: Timestamp?
    let isDeleted: Bool
}

/// How much was said against somebody, and by them.
struct ReportTally: Sendable {
    let against: Int
    let reporters: Int
    let open: Int
    let made: Int
    let liveMatches: Int
}

/// What those who moderate do with reports.
protocol ReportStore: Sendable {
    /// From new to old; those with lower identifiers than `before`.
    /// - Parameters:
    ///   - isOpen: nil for all.
    ///   - target: only about this person.
    func reports(isOpen: Bool?, about target: UserID?, before: ReportID?, limit: Int) async throws -> [ReportCase]
    /// - Throws: `MatchingError.unknownReport`.
    func report(_ id: ReportID) async throws -> (report: ReportCase, evidence: KeptEvidence?)
    /// Decides a report. Its evidence is kept for its whole time again.
    /// - Parameter along: run in the same transaction with the person it was about.
    /// - Throws: `MatchingError.unknownReport`, `.reportClosed`.
    func close(
        _ id: ReportID, decision: ReportDecision, note: CodeWord?,
        along: @escaping @Sendable (UserID, any UnitOfWork) throws -> Void
    ) async throws
    func tally(of user: UserID) async throws -> ReportTally
    /// Forgets evidence that was last relevant before a time, at most `limit` reports' worth.
    /// - Returns: of how many reports.
    func forgetEvidence(before: Timestamp, limit: Int) async throws -> Int
}
