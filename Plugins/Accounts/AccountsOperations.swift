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

    private func user(in call: OperatorCall) async throws -> UserID {
        try await service.user(named: call.read(PersonQuery.self).user)
    }

    private var find: OperatorAction {
        OperatorAction(
            "user.find", "People by identifier, or by the beginning of their name or e-mail address", isChanging: false,
            members: PeopleQuery.fields.properties
        ) { call in
            let query = try call.read(PeopleQuery.self)
            let text = query.text
            var found: [UserID] = []
            var known: Set<UserID> = []
            func add(_ users: [UserID]) { for user in users where known.insert(user).inserted { found.append(user) } }
            if let id = UserID(wire: text) {
                if try await service.store.account(of: id) != nil { add([id]) }
            } else {
                add(try await service.store.users(withEmailPrefix: EmailAddress.normalised(text), limit: Self.mostCounted))
                for describer in describers.all { add(try await describer.find(text, limit: Self.mostCounted)) }
            }
            let shown = found.prefix(query.limit)
            var items: [FoundPerson] = []
            for user in shown { if let item = try await summary(of: user) { items.append(item) } }
            let answer = FoundPeople(items: items, total: found.count, isTotalLeast: found.count >= Self.mostCounted)
            return OperatorAnswer(answer.json, subjects: shown.prefix(20).map { AuditSubject($0) })
        }
    }

    /// Matches beyond this number are not counted.
    private static let mostCounted = 10_000

    /// Nil when the account was erased meanwhile.
    private func summary(of user: UserID) async throws -> FoundPerson? {
        guard let standing = try? await service.standing(of: user) else { return nil }
        var name: String?
        for describer in describers.all where name == nil {
            name = try await describer.describe(user)?["name"]?.string
        }
        return FoundPerson(standing: standing, name: name)
    }

    private var show: OperatorAction {
        OperatorAction(
            "user.show", "What a moderator needs to know about a person", isChanging: false,
            members: PersonQuery.fields.properties
        ) { call in
            let user = try await user(in: call)
            let standing = try await service.standing(of: user)
            let view = StandingView(standing: standing, eraseGrace: service.configuration.eraseGrace)
            // The other modules' sections follow the account's members.
            var members = view.json.members
            for describer in describers.all {
                if let section = try await describer.describe(user) { members.append(JSONMember(describer.section, section)) }
            }
            return OperatorAnswer(.object(members), subjects: [AuditSubject(user)])
        }
    }

    private var suspend: OperatorAction {
        OperatorAction(
            "user.suspend", "Hide a person, end their sessions and refuse their logins", isChanging: true,
            members: SuspensionRequest.fields.properties
        ) { call in
            let request = try call.read(SuspensionRequest.self)
            let user = try await service.user(named: request.user)
            let before = try await service.standing(of: user)
            // An earlier reason stays unless a new one is given.
            let reason = try Self.required(request.reason ?? before.suspensionReason.flatMap { CodeWord($0) } ?? Self.unstated)
            let ended = try await service.suspend(user, reason: reason) { work in
                try call.record([AuditSubject(user), AuditSubject(reason)], in: work.transaction)
            }
            let view = SuspensionView(
                user: user, reason: reason, ended: ended, wasSuspended: before.suspendedAt != nil,
                suspendedAt: try await service.standing(of: user).suspendedAt)
            return OperatorAnswer(view.json)
        }
    }

    private static let unstated = CodeWord("unstated")

    private static func required(_ word: CodeWord?) throws -> CodeWord {
        guard let word else { throw InvalidInput.refused("/reason", "missing", "This member is required.") }
        return word
    }

    private var restore: OperatorAction {
        OperatorAction("user.restore", "Lift a suspension", isChanging: true, members: PersonQuery.fields.properties) { call in
            let user = try await user(in: call)
            let wasSuspended = try await service.restore(user) { work in
                try call.record([AuditSubject(user)], in: work.transaction)
            }
            let standing = try await service.standing(of: user)
            return OperatorAnswer(RestorationView(standing: standing, wasSuspended: wasSuspended).json)
        }
    }

    private var signOut: OperatorAction {
        OperatorAction("user.sign-out", "End every session of a person", isChanging: true, members: PersonQuery.fields.properties)
        { call in
            let user = try await user(in: call)
            let ended = try await service.signOut(user) { work in
                try call.record([AuditSubject(user)], in: work.transaction)
            }
            return OperatorAnswer(SignOutView(user: user, ended: ended).json)
        }
    }

    private var resetPassword: OperatorAction {
        OperatorAction(
            "user.reset-password", "A link that sets a new password once", isChanging: true,
            members: PersonQuery.fields.properties
        ) { call in
            let user = try await user(in: call)
            let link = try await service.resetLink(for: user) { work in
                try call.record([AuditSubject(user)], in: work.transaction)
            }
            return OperatorAnswer(ResetLinkView(user: user, link: link, publicURL: call.publicURL).json)
        }
    }

    private var export: OperatorAction {
        OperatorAction(
            "user.export", "Everything that is stored about a person, as in their own export", isChanging: false,
            members: PersonQuery.fields.properties
        ) { call in
            let user = try await user(in: call)
            let export = try await service.exportForOperator(user)
            return OperatorAnswer(
                ExportView(user: user).json, subjects: [AuditSubject(user)], nextPiece: { try await export.next() })
        }
    }

    private var erase: OperatorAction {
        OperatorAction(
            "user.erase", "Erase a person now and for good", isChanging: true, members: PersonQuery.fields.properties
        ) { call in
            let user = try await user(in: call)
            let isErased = try await service.eraseNow(user) { work in try call.record([AuditSubject(user)], in: work.transaction)
            }
            return OperatorAnswer(ErasureView(user: user, isErased: isErased).json)
        }
    }
}

extension JSONValue {
    /// The members of an object; none for other values.
    fileprivate var members: [JSONMember] { if case .object(let members) = self { members } else { [] } }
}
