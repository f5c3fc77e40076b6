import SparkCore

/// The decision about a report. Raw values are part of the wire format and the store.
enum ReportDecision: String, WireWord {
    /// The report was unfounded and does not count.
    case none
    case warned
    case suspended

    static let summary = "What was decided on a report."
}

/// A report for moderators.
struct ReportCase: Sendable {
    let id: ReportID
    let category: String
    /// What the reporter wrote.
    let statement: String
    let createdAt: Timestamp
    /// Nil once the reporter is erased.
    let reporter: UserID?
    let target: UserID
    let isTargetErased: Bool
    let closedAt: Timestamp?
    let decision: String?
    let note: String?
    /// How many different people reported the same person.
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

/// The state at the time of a report: the profile and the newest messages.
struct KeptEvidence: Sendable {
    let capturedAt: Timestamp
    /// The profile as a JSON object; nil if the person was already erased.
    let profile: [UInt8]?
    let conversation: ConversationID?
    /// Ordered by place, then by when each version was kept.
    let messages: [KeptMessage]
}

/// One kept version of a message.
struct KeptMessage: Sendable {
    let seq: Int64
    let isFromTarget: Bool
    let content: MessageContent
    let text: String
    let sentAt: Timestamp
    let editedAt: Timestamp?
    let isDeleted: Bool
}

/// Numbers of reports against and by a person, and of the person's live matches.
struct ReportTally: Sendable {
    let against: Int
    let reporters: Int
    let open: Int
    let made: Int
    let liveMatches: Int
}

/// What moderators can do with reports.
protocol ReportStore: Sendable {
    /// Reports from new to old, with identifiers below `before`.
    /// - Parameters:
    ///   - isOpen: only open or only closed reports; nil for all.
    ///   - target: only reports about this person; nil for all.
    func reports(isOpen: Bool?, about target: UserID?, before: ReportID?, limit: Int) async throws -> [ReportCase]
    /// A report with its evidence, if any is left.
    /// - Throws: `MatchingError.unknownReport`.
    func report(_ id: ReportID) async throws -> (report: ReportCase, evidence: KeptEvidence?)
    /// Decides a report. The lifetime of its evidence starts again.
    /// - Parameter along: runs in the same transaction with the reported person.
    /// - Throws: `MatchingError.unknownReport`, `.reportClosed`.
    func close(
        _ id: ReportID, decision: ReportDecision, note: CodeWord?,
        along: @escaping @Sendable (UserID, any UnitOfWork) throws -> Void
    ) async throws
    /// A person's numbers of reports.
    func tally(of user: UserID) async throws -> ReportTally
    /// When the evidence that comes first was last relevant; nil without evidence.
    func oldestEvidence() async throws -> Timestamp?
    /// Deletes the evidence of at most `limit` reports that were last relevant before a time.
    /// - Returns: the number of reports.
    func forgetEvidence(before: Timestamp, limit: Int) async throws -> Int
}
