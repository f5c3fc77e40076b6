import SparkCore
import SparkKit
import SparkStorage

/// The moderators' actions on reports: `spark report ...`.
struct ReportOperations: Sendable {
    let store: any ReportStore
    let accounts: any AccountSuspending

    var all: [OperatorAction] { [list, show, close] }

    private var list: OperatorAction {
        OperatorAction(
            "report.list", "Reports, newest first, without their texts", isChanging: false, ReportQuery.self
        ) { query, _ in
            let limit = query.limit
            let all = try await store.reports(
                isOpen: query.state.isOpen, about: query.target, before: query.before, limit: limit + 1)
            let found = all.prefix(limit)
            return OperatorAnswer(
                ["items": .array(found.map { .object($0.members) }), "more": .bool(all.count > limit)],
                subjects: found.prefix(20).map { AuditSubject($0.id) })
        }
    }

    private var show: OperatorAction {
        OperatorAction(
            "report.show", "A report with what the reporter wrote and with its evidence", isChanging: false, ReportChoice.self
        ) { choice, _ in
            let id = choice.report
            let (report, evidence) = try await store.report(id)
            var members = report.members + [JSONMember("text", .string(report.statement))]
            if let evidence {
                members.append(JSONMember("captured_at", .string("\(evidence.capturedAt)")))
                members.append(JSONMember("profile", evidence.profile.flatMap { try? JSONParser.parse($0) } ?? .null))
                members.append(JSONMember("conversation_id", evidence.conversation.map { .string($0.wire) } ?? .null))
                members.append(JSONMember("messages", .array(evidence.messages.map { Self.message($0, of: report) })))
            }
            return OperatorAnswer(.object(members), subjects: [AuditSubject(id), AuditSubject(report.target)])
        }
    }

    private static func message(_ message: KeptMessage, of report: ReportCase) -> JSONValue {
        let sender = message.isFromTarget ? report.target : report.reporter
        return [
            "seq": .integer(message.seq), "from": .string(message.isFromTarget ? "target" : "reporter"),
            "sender_id": sender.map { .string($0.wire) } ?? .null, "kind": .string(message.content.wire),
            "text": .string(message.text), "sent_at": .string("\(message.sentAt)"),
            "edited_at": message.editedAt.map { .string("\($0)") } ?? .null, "deleted": .bool(message.isDeleted),
        ]
    }

    private var close: OperatorAction {
        OperatorAction(
            "report.close", "Decide a report; the decision suspended also suspends the person", isChanging: true,
            ReportClosing.self
        ) { closing, call in
            let (id, decision, note) = (closing.report, closing.decision, closing.note)
            guard let word = CodeWord(decision.wire) else { throw MatchingError.unknownReport }
            let reason = note ?? CodeWord("report")
            try await store.close(id, decision: decision, note: note) { [accounts] target, work in
                // An erased person cannot be suspended; the decision is still recorded.
                if decision == .suspended, let reason { _ = try accounts.suspend(target, reason: reason, in: work) }
                let subjects =
                    [AuditSubject(id), AuditSubject(target), AuditSubject(word)] + (note.map { [AuditSubject($0)] } ?? [])
                try call.record(subjects, in: work.transaction)
            }
            let (report, _) = try await store.report(id)
            return OperatorAnswer(.object(report.members))
        }
    }
}

extension ReportOperations: PersonDescribing {
    var section: String { "reports" }

    func describe(_ user: UserID) async throws -> JSONValue? {
        let tally = try await store.tally(of: user)
        return [
            "against": .integer(Int64(tally.against)), "reporters": .integer(Int64(tally.reporters)),
            "open": .integer(Int64(tally.open)), "made": .integer(Int64(tally.made)),
            "live_matches": .integer(Int64(tally.liveMatches)),
        ]
    }
}
