import SparkCore
import SparkKit

// What operators ask of accounts, and what they are answered.

extension FieldType where Value == String {
    /// A person's identifier or e-mail address, or the beginning of a name.
    fileprivate static var personText: FieldType { .string(1...254).example("ada@example.org") }
}

/// The person that an action concerns.
struct PersonQuery: RequestBody {
    let user: String

    static let body = BodyFields<PersonQuery>("PersonQuery", "The person that an action concerns.", PersonQuery.init(user:)) {
        Field("user", \.user, .personText, "The identifier or the e-mail address.")
    }
}

/// What to search people by.
struct PeopleQuery: RequestBody {
    let text: String
    let limit: Int

    static let body = BodyFields<PeopleQuery>("PeopleQuery", "What to search people by.", PeopleQuery.init(text:limit:)) {
        Field("text", \.text, .personText, "An identifier, or the beginning of a name or of an e-mail address.")
        Field("limit", \.limit, .integer(1...200), default: 20)
    }
}

/// The person to suspend, and the reason.
struct SuspensionRequest: RequestBody {
    let user: String
    let reason: CodeWord?

    static let body = BodyFields<SuspensionRequest>(
        "SuspensionRequest", "The person to suspend, and the reason.", SuspensionRequest.init(user:reason:)
    ) {
        Field("user", \.user, .personText, "The identifier or the e-mail address.")
        Field(optional: "reason", \.reason, .codeWord, "An earlier reason stays if it is absent.")
    }
}

extension FieldType where Value == CodeWord {
    fileprivate static var codeWord: FieldType {
        FieldType(.string(1...32), format: CodeWord.format, parse: { CodeWord($0) }, text: \.text).example("spam")
    }
}

/// One person in the answer to a search.
struct FoundPerson: JSONObject {
    let standing: AccountStanding
    let name: String?

    static let fields = Fields<FoundPerson>("FoundPerson", "A person in the answer to a search.") {
        Field("id", \.standing.account.id)
        Field("email", \.standing.account.email, .string)
        Field("name", \.name, .nullable(.personName))
        Field("state", \.standing.word, .string, "open, closed or suspended")
    }
}

/// The answer to a search.
struct FoundPeople: JSONObject {
    let items: [FoundPerson]
    let total: Int
    /// True if there may be more than were counted.
    let isTotalLeast: Bool

    static let fields = Fields<FoundPeople>("FoundPeople", "The answer to a search.") {
        Field("items", \.items)
        Field("total", \.total, .integer)
        Field("total_is_least", \.isTotalLeast, "There may be more than were counted.")
    }
}

/// An account with its state.
struct StandingView: JSONObject {
    let standing: AccountStanding
    let eraseGrace: Duration

    static let fields = Fields<StandingView>("AccountStanding", "An account with its state.") {
        Field("id", \.standing.account.id)
        Field("email", \.standing.account.email, .string)
        Field("state", \.standing.word, .string, "open, closed or suspended")
        Field("created_at", \.standing.account.createdAt)
        Field("closed_at", \.standing.account.closedAt)
        Field("erase_at", { view in view.standing.account.closedAt.map { $0 + view.eraseGrace } })
        Field("suspended_at", \.standing.suspendedAt)
        Field("suspension_reason", \.standing.suspensionReason, .nullable(.string))
        Field("has_password", { $0.standing.account.passwordHash != nil })
        Field("sessions", \.standing.openSessions, .integer)
    }
}

/// The answer to a suspension.
struct SuspensionView: JSONObject {
    let user: UserID
    let reason: CodeWord
    let ended: Int
    let wasSuspended: Bool
    let suspendedAt: Timestamp?

    static let fields = Fields<SuspensionView>("Suspension", "The answer to a suspension.") {
        Field("id", \.user)
        Field("state", { _ in "suspended" }, .constant("suspended"))
        Field("reason", \.reason, .codeWord)
        Field("sessions_ended", \.ended, .integer)
        Field("was_suspended", \.wasSuspended)
        Field("suspended_at", \.suspendedAt)
    }
}

/// The answer to lifting a suspension.
struct RestorationView: JSONObject {
    let standing: AccountStanding
    let wasSuspended: Bool

    static let fields = Fields<RestorationView>("Restoration", "The answer to lifting a suspension.") {
        Field("id", \.standing.account.id)
        Field("state", \.standing.word, .string)
        Field("was_suspended", \.wasSuspended)
    }
}

/// The answer to ending a person's sessions.
struct SignOutView: JSONObject {
    let user: UserID
    let ended: Int

    static let fields = Fields<SignOutView>("SignOut", "The answer to ending a person's sessions.") {
        Field("id", \.user)
        Field("sessions_ended", \.ended, .integer)
    }
}

/// A link that sets a new password once.
struct ResetLinkView: JSONObject {
    let user: UserID
    let link: ResetLink
    let publicURL: String

    static let fields = Fields<ResetLinkView>("ResetLink", "A link that sets a new password once.") {
        Field("id", \.user)
        Field("link", { "\($0.publicURL)\(ResetPage.path)?token=\($0.link.token)" }, .string)
        Field("token", \.link.token, .string)
        Field("expires_at", \.link.expiresAt)
    }
}

/// The beginning of the answer to an export.
struct ExportView: JSONObject {
    let user: UserID

    static let fields = Fields<ExportView>("ExportStart", "The person whose export follows.") {
        Field("id", \.user)
    }
}

/// The answer to an erasure.
struct ErasureView: JSONObject {
    let user: UserID
    let isErased: Bool

    static let fields = Fields<ErasureView>("Erasure", "The answer to an erasure.") {
        Field("id", \.user)
        Field("state", { $0.isErased ? "erased" : "being_erased" }, .string)
    }
}
