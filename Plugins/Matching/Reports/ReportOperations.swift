import SparkCore
import SparkKit
import SparkStorage

/// The moderators' actions on reports: `spark report ...`.
struct ReportOperations: Sendable {
    let store: any ReportStore
    let accounts: any AccountSuspending

    var all: [OperatorAction] { [list, show, close] }

    private static let states = ["open", "closed", "all"]

    private var list: OperatorAction {
        OperatorAction(
            "report.list", "Reports, newest first, without their texts", isChanging: false,
            members: [
                .optional("state", .oneOf(Self.states)), .optional("target", .identifier(UserKind.self)),
                .optional("before", .identifier(ReportKind.self)), .optional("limit", .integer(1...200)),
            ]
        ) { call in
            let (state, target, before, limit) = try call.read { reader in
                (
                    reader.optional("state", format: Self.states.joined(separator: ", ")) { Self.states.contains($0) ? $0 : nil },
                    reader.optional("target", format: "the id of a user") { UserID(wire: $0) },
                    reader.optional("before", format: "the id of a report") { ReportID(wire: $0) },
                    reader.optionalInteger("limit", 1...200) ?? 50
                )
            }
            let isOpen: Bool? =
                switch state {
                case "all": nil
                case "closed": false
                default: true
                }
            let all = try await store.reports(isOpen: isOpen, about: target, before: before, limit: limit + 1)
            let found = all.prefix(limit)
            return OperatorAnswer(
                ["items": .array(found.map { .object($0.members) }), "more": .bool(all.count > limit)],
                subjects: found.prefix(20).map { AuditSubject($0.id) })
        }
    }

    private static func report(in call: OperatorCall) throws -> ReportID {
        let id = try call.read { $0.value("report", format: "the id of a report") { ReportID(wire: $0) } }
        guard let id else { throw MatchingError.unknownReport }
        return id
    }

    private var show: OperatorAction {
        OperatorAction(
            "report.show", "A report with what the reporter wrote and with its evidence", isChanging: false,
            members: [.required("report", .identifier(ReportKind.self))]
        ) { call in
            let id = try Self.report(in: call)
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
            members: [
                .required("report", .identifier(ReportKind.self)), .required("decision", .oneOf(ReportDecision.words)),
                .optional("note", .string(1...32)),
            ]
        ) { call in
            let (id, decision, note) = try call.read { reader in
                (
                    reader.value("report", format: "the id of a report") { ReportID(wire: $0) },
                    reader.value("decision", format: ReportDecision.words.joined(separator: ", ")) {
                        ReportDecision(rawValue: $0)
                    },
                    reader.optional("note", format: CodeWord.format) { CodeWord($0) }
                )
            }
            guard let id, let decision, let word = CodeWord(decision.rawValue) else { throw MatchingError.unknownReport }
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
