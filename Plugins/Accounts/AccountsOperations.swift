import SparkCore
import SparkKit
import SparkStorage

/// The operators' actions on accounts: `spark user ...`.
struct AccountsOperations: Sendable {
    let service: AccountsService
    /// What other modules report about a person.
    let describers: Contributions<any PersonDescribing>

    var all: [OperatorAction] {
        [find, show, suspend, restore, signOut, resetPassword, export, erase]
    }

    private static let user = Schema.Property.required("user", .string(1...254))

    private func user(in call: OperatorCall) throws -> UserID {
        try service.user(named: call.read { $0.string("user", length: 1...254) })
    }

    private var find: OperatorAction {
        OperatorAction(
            "user.find", "People by identifier, or by the beginning of their name or e-mail address", isChanging: false,
            members: [.required("text", .string(1...254)), .optional("limit", .integer(1...200))]
        ) { call in
            let (text, limit) = try call.read { reader in
                (reader.string("text", length: 1...254), reader.optionalInteger("limit", 1...200) ?? 20)
            }
            var found: [UserID] = []
            var known: Set<UserID> = []
            func add(_ users: [UserID]) { for user in users where known.insert(user).inserted { found.append(user) } }
            if let id = UserID(wire: text) {
                if try service.store.account(of: id) != nil { add([id]) }
            } else {
                add(try await service.store.users(withEmailPrefix: EmailAddress.normalised(text), limit: Self.mostCounted))
                for describer in describers.all { add(try await describer.find(text, limit: Self.mostCounted)) }
            }
            let shown = found.prefix(limit)
            var items: [JSONValue] = []
            for user in shown { if let item = try await summary(of: user) { items.append(item) } }
            return OperatorAnswer(
                [
                    "items": .array(items), "total": .integer(Int64(found.count)),
                    "total_is_least": .bool(found.count >= Self.mostCounted),
                ], subjects: shown.prefix(20).map { AuditSubject($0) })
        }
    }

    /// Matches beyond this number are not counted.
    private static let mostCounted = 10_000

    /// Nil when the account was erased meanwhile.
    private func summary(of user: UserID) async throws -> JSONValue? {
        guard let standing = try? await service.standing(of: user) else { return nil }
        var name: JSONValue = .null
        for describer in describers.all where name.isNull {
            name = try await describer.describe(user)?["name"] ?? .null
        }
        return [
            "id": .string(user.wire), "email": .string(standing.account.email), "name": name, "state": .string(standing.word),
        ]
    }

    private var show: OperatorAction {
        OperatorAction(
            "user.show", "What a moderator needs to know about a person", isChanging: false, members: [Self.user]
        ) { call in
            let user = try user(in: call)
            let standing = try await service.standing(of: user)
            let account = standing.account
            var members: [JSONMember] = [
                JSONMember("id", .string(user.wire)), JSONMember("email", .string(account.email)),
                JSONMember("state", .string(standing.word)), JSONMember("created_at", .string("\(account.createdAt)")),
                JSONMember("closed_at", time(account.closedAt)),
                JSONMember("erase_at", time(account.closedAt.map { $0 + service.configuration.eraseGrace })),
                JSONMember("suspended_at", time(standing.suspendedAt)),
                JSONMember("suspension_reason", standing.suspensionReason.map { .string($0) } ?? .null),
                JSONMember("has_password", .bool(account.passwordHash != nil)),
                JSONMember("sessions", .integer(Int64(standing.openSessions))),
            ]
            for describer in describers.all {
                if let section = try await describer.describe(user) { members.append(JSONMember(describer.section, section)) }
            }
            return OperatorAnswer(.object(members), subjects: [AuditSubject(user)])
        }
    }

    private var suspend: OperatorAction {
        OperatorAction(
            "user.suspend", "Hide a person, end their sessions and refuse their logins", isChanging: true,
            members: [Self.user, .optional("reason", .string(1...32))]
        ) { call in
            let (name, word) = try call.read { reader in
                (
                    reader.string("user", length: 1...254),
                    reader.optional("reason", format: CodeWord.format) { CodeWord($0) }
                )
            }
            let user = try service.user(named: name)
            let before = try await service.standing(of: user)
            // An earlier reason stays unless a new one is given.
            let reason = try Self.required(word ?? before.suspensionReason.flatMap { CodeWord($0) } ?? Self.unstated)
            let ended = try await service.suspend(user, reason: reason) { work in
                try call.record([AuditSubject(user), AuditSubject(reason)], in: work.transaction)
            }
            return OperatorAnswer([
                "id": .string(user.wire), "state": "suspended", "reason": .string(reason.text),
                "sessions_ended": .integer(Int64(ended)), "was_suspended": .bool(before.suspendedAt != nil),
                "suspended_at": time(try await service.standing(of: user).suspendedAt),
            ])
        }
    }

    private static let unstated = CodeWord("unstated")

    private static func required(_ word: CodeWord?) throws -> CodeWord {
        guard let word else { throw InvalidInput.refused("/reason", "missing", "This member is required.") }
        return word
    }

    private var restore: OperatorAction {
        OperatorAction("user.restore", "Lift a suspension", isChanging: true, members: [Self.user]) { call in
            let user = try user(in: call)
            let wasSuspended = try await service.restore(user) { work in
                try call.record([AuditSubject(user)], in: work.transaction)
            }
            let standing = try await service.standing(of: user)
            return OperatorAnswer([
                "id": .string(user.wire), "state": .string(standing.word), "was_suspended": .bool(wasSuspended),
            ])
        }
    }

    private var signOut: OperatorAction {
        OperatorAction("user.sign-out", "End every session of a person", isChanging: true, members: [Self.user]) { call in
            let user = try user(in: call)
            let ended = try await service.signOut(user) { work in
                try call.record([AuditSubject(user)], in: work.transaction)
            }
            return OperatorAnswer(["id": .string(user.wire), "sessions_ended": .integer(Int64(ended))])
        }
    }

    private var resetPassword: OperatorAction {
        OperatorAction(
            "user.reset-password", "A link that sets a new password once", isChanging: true, members: [Self.user]
        ) { call in
            let user = try user(in: call)
            let link = try await service.resetLink(for: user) { work in
                try call.record([AuditSubject(user)], in: work.transaction)
            }
            return OperatorAnswer([
                "id": .string(user.wire), "link": .string("\(call.publicURL)\(ResetPage.path)?token=\(link.token)"),
                "token": .string(link.token), "expires_at": .string("\(link.expiresAt)"),
            ])
        }
    }

    private var export: OperatorAction {
        OperatorAction(
            "user.export", "Everything that is stored about a person, as in their own export", isChanging: false,
            members: [Self.user]
        ) { call in
            let user = try user(in: call)
            let export = try service.exportForOperator(user)
            return OperatorAnswer(
                ["id": .string(user.wire)], subjects: [AuditSubject(user)], nextPiece: { try await export.next() })
        }
    }

    private var erase: OperatorAction {
        OperatorAction(
            "user.erase", "Erase a person now and for good", isChanging: true, members: [Self.user]
        ) { call in
            let user = try user(in: call)
            let isErased = try await service.eraseNow(user) { work in try call.record([AuditSubject(user)], in: work.transaction)
            }
            return OperatorAnswer(["id": .string(user.wire), "state": isErased ? "erased" : "being_erased"])
        }
    }

    private func time(_ time: Timestamp?) -> JSONValue { time.map { .string("\($0)") } ?? .null }
}
