import SparkCore

// The JSON bodies and answers of Accounts.

extension FieldType where Value == String {
    /// A password that is given to be compared. Its length alone is checked: a shorter one is a wrong one.
    static var givenPassword: FieldType { .string(1...128).example("correct horse battery") }
    /// A new password.
    static var newPassword: FieldType { .string(RegistrationForm.passwordLength).example("correct horse battery") }
    /// A refresh token or a reset token. Its length alone is checked: a malformed one is an unknown one.
    static var givenToken: FieldType { .string(1...128) }
}

/// A registration form. The format is validated here, the age in `AccountsService`.
struct RegistrationForm: RequestBody {
    static let passwordLength = 8...128
    private static let genderFormat = "one of \(Gender.wireWords.joined(separator: ", "))"

    let address: NewAddress
    let password: String
    let name: String
    let birth: BirthDate
    let gender: Gender
    let interestedIn: GenderSet

    static let body = BodyFields<RegistrationForm>(
        "Registration", "The form of a new account.",
        RegistrationForm.init(address:password:name:birth:gender:interestedIn:)
    ) {
        Field("email", \.address, .newAddress, "The address to log in with.")
        Field("password", \.password, .newPassword)
        Field("name", \.name, .personName, "The display name.")
        Field(membersOf: \.birth)
        Field("gender", \.gender, .word(format: genderFormat))
        Field("interested_in", \.interestedIn, .genders(format: genderFormat), "The genders that the person wants to meet.")
    }
}

/// The e-mail address of a new account.
struct NewAddress: Sendable {
    /// Canonical.
    let text: String
    /// The spellings under which another account may hold the address.
    let forms: [String]

    /// Nil for a text that is not an address.
    init?(_ raw: String) {
        guard let address = EmailAddress(raw) else { return nil }
        (text, forms) = (address.text, EmailAddress.forms(raw))
    }
}

extension FieldType where Value == NewAddress {
    static var newAddress: FieldType {
        FieldType(
            Schema(
                ["type": "string", "format": "email", "minLength": 3, "maxLength": 254], example: "ada@example.org"),
            format: "an e-mail address of at most 254 bytes", parse: { NewAddress($0) }, text: \.text)
    }
}

/// A day on which somebody alive can have been born.
struct BirthDate: RequestBody {
    private static let earliestYear = 1900

    let day: CivilDate

    static func checked(day: CivilDate) throws(Refusal) -> BirthDate {
        guard day.year >= earliestYear else {
            throw Refusal("birth_date", "range", "The day must not be before \(earliestYear)-01-01.")
        }
        return BirthDate(day: day)
    }

    static let body = BodyFields<BirthDate>(
        "BirthDate", "A day on which somebody alive can have been born.", checked(day:)
    ) {
        Field("birth_date", \.day)
    }
}

/// E-mail address and password. Their format is not validated: a malformed address is an unknown one.
struct LoginForm: RequestBody {
    let email: String
    let password: String

    static let body = BodyFields<LoginForm>(
        "Login", "The address and the password of an account.", LoginForm.init(email:password:)
    ) {
        Field("email", \.email, .string(1...254).example("ada@example.org"))
        Field("password", \.password, .givenPassword)
    }
}

/// A refresh token to exchange.
struct RefreshForm: RequestBody {
    let refreshToken: String

    static let body = BodyFields<RefreshForm>("Refresh", "A refresh token to exchange.", RefreshForm.init(refreshToken:)) {
        Field("refresh_token", \.refreshToken, .givenToken)
    }
}

/// The password alone, to confirm the session.
struct ConfirmationForm: RequestBody {
    let password: String

    static let body = BodyFields<ConfirmationForm>(
        "Confirmation", "The password, to confirm the session.", ConfirmationForm.init(password:)
    ) {
        Field("password", \.password, .givenPassword)
    }
}

/// The current and the new password.
struct PasswordChangeForm: RequestBody {
    let currentPassword: String
    let newPassword: String

    static let body = BodyFields<PasswordChangeForm>(
        "PasswordChange", "The current and the new password.", PasswordChangeForm.init(currentPassword:newPassword:)
    ) {
        Field("current_password", \.currentPassword, .givenPassword)
        Field("new_password", \.newPassword, .newPassword)
    }
}

/// A password reset token and the new password.
struct ResetForm: RequestBody {
    let token: String
    let password: String

    static let body = BodyFields<ResetForm>(
        "PasswordReset", "The token of a reset link and the new password.", ResetForm.init(token:password:)
    ) {
        Field("token", \.token, .givenToken)
        Field("password", \.password, .newPassword)
    }
}

/// The tokens that a client gets after refreshing.
struct SessionTokens: JSONObject {
    let accessToken: String
    let refreshToken: String
    let lifetime: Duration

    static let fields = Fields<SessionTokens>("RefreshedTokens", "The tokens of a session.") {
        Field("access_token", \.accessToken, .string, "For the header field Authorization.")
        Field("refresh_token", \.refreshToken, .string, "To be exchanged once.")
        Field("token_type", { _ in "Bearer" }, .constant("Bearer"))
        Field("expires_in", \.lifetime.components.seconds, .integer(1...900), "The access token's lifetime in seconds.")
    }
}

/// The tokens that a client gets after registering or logging in.
struct TokenGrant: JSONObject {
    /// The person's own profile as JSON text.
    let portrait: [UInt8]
    let tokens: SessionTokens

    static let fields = Fields<TokenGrant>("TokenGrant", "A person and the tokens of a new session.") {
        Field("user", \.portrait, .written(portrait))
        Field(membersOf: \.tokens)
    }

    /// Another module writes the portrait, so only the identifier is known here.
    private static let portrait = Schema.map(
        of: .anyValue, besides: [.required("id", .identifier(UserKind.self))], example: BareAccount.schema.example
    )
    .named("SelfPortrait", "The person as they see themselves, as in the answer to GET /me.")
}

/// The person as they see themselves if no module knows more than the account.
struct BareAccount: JSONObject {
    let id: UserID
    let email: String

    static let fields = Fields<BareAccount>("BareAccount", "An account without a profile.") {
        Field("id", \.id)
        Field("email", \.email, .string.example("ada@example.org"))
    }
}

/// One entry of the list of sessions.
struct SessionLine: JSONObject {
    let session: Session
    let isCurrent: Bool

    static let fields = Fields<SessionLine>("Session", "An open session.") {
        Field("id", \.session.id)
        Field("created_at", \.session.createdAt)
        Field("last_used_at", \.session.lastUsedAt)
        Field("label", \.session.label, .string(1...80).example("Firefox/150.0"), "The client that opened it.")
        Field("current", \.isCurrent, "This session.")
    }
}

/// The answer to a request to delete the account.
struct ClosureReceipt: JSONObject {
    let eraseAt: Timestamp

    static let fields = Fields<ClosureReceipt>("Closure", "The deletion of an account.") {
        Field("erase_at", \.eraseAt, "Until then a login takes the deletion back.")
    }
}

/// An export as `PersonalExport` streams it. Its other members are the tables of the modules that the server has.
enum ExportDocument: SchemaDescribed {
    static let schemaName = "Export"
    static let schema = Schema.map(
        of: table, besides: [.required("exported_at", .dateTime)], example: ["exported_at": "2026-03-01T09:30:00.250Z"]
    ).described("Everything that is stored of a person: a list for each table.")

    private static let table = Schema.list(row).named("ExportedTable", "The rows of a table that concern the person.")
    private static let row = Schema.map(of: .anyValue, example: ["created_at": "2026-03-01T09:30:00.250Z"])
        .named("ExportedRow", "A row, by the names of its columns.")
}
