import SparkCore
import SparkKit

/// A registration form. The format is validated here, the age in `AccountsService`.
struct RegistrationForm: HandReadBody {
    static let passwordLength = 8...128
    static let earliestBirthYear = 1900

    /// Canonical.
    let email: String
    /// The spellings under which another account may hold the address.
    let emailForms: [String]
    let password: String
    let name: String
    let birthDate: CivilDate
    let gender: Gender
    let interestedIn: GenderSet

    init(from reader: inout ObjectReader) {
        let address = reader.value("email", format: "an e-mail address of at most 254 bytes") { raw in
            EmailAddress(raw).map { ($0.text, EmailAddress.forms(raw)) }
        }
        self.email = address?.0 ?? ""
        self.emailForms = address?.1 ?? []
        self.password = reader.string("password", length: Self.passwordLength)
        self.name = reader.visibleText("name", .name)
        let birthDate = reader.value("birth_date", format: "a day as YYYY-MM-DD") { CivilDate($0) }
        if let birthDate, birthDate.year < Self.earliestBirthYear {
            reader.refuse("birth_date", "range", "The day must not be before \(Self.earliestBirthYear)-01-01.")
        }
        self.birthDate = birthDate ?? CivilDate(daysSinceEpoch: 0)
        let genders = "one of \(Gender.wireWords.joined(separator: ", "))"
        self.gender = reader.value("gender", format: genders, Gender.init(wire:)) ?? .woman
        reader.require("interested_in")
        self.interestedIn = GenderSet(
            reader.optionalList("interested_in", count: 1...3, format: genders, Gender.init(wire:)) ?? [])
    }

    static let schemaName = "Registration"
    static let schema = Schema.object([
        .required("email", Schema(["type": "string", "format": "email", "minLength": 3, "maxLength": 254])),
        .required("password", .string(passwordLength)),
        .required("name", .string(1...50)),
        .required("birth_date", .date),
        .required("gender", .oneOf(Gender.wireWords)),
        .required("interested_in", .list(.oneOf(Gender.wireWords), count: 1...3, unique: true)),
    ])
}

/// E-mail address and password. Their format is not validated: a malformed address is an unknown one.
struct LoginForm: HandReadBody {
    let email: String
    let password: String

    init(from reader: inout ObjectReader) {
        self.email = reader.string("email", length: 1...254)
        self.password = reader.string("password", length: 1...128)
    }

    static let schemaName = "Login"
    static let schema = Schema.object([
        .required("email", .string(1...254)), .required("password", .string(1...128)),
    ])
}

/// A refresh token to exchange.
struct RefreshForm: HandReadBody {
    let refreshToken: String

    init(from reader: inout ObjectReader) {
        self.refreshToken = reader.string("refresh_token", length: 1...128)
    }

    static let schemaName = "Refresh"
    static let schema = Schema.object([.required("refresh_token", .string(1...128))])
}

/// The password alone, to confirm the session.
struct ConfirmationForm: HandReadBody {
    let password: String

    init(from reader: inout ObjectReader) {
        self.password = reader.string("password", length: 1...128)
    }

    static let schemaName = "Confirmation"
    static let schema = Schema.object([.required("password", .string(1...128))])
}

/// The current and the new password.
struct PasswordChangeForm: HandReadBody {
    let currentPassword: String
    let newPassword: String

    init(from reader: inout ObjectReader) {
        self.currentPassword = reader.string("current_password", length: 1...128)
        self.newPassword = reader.string("new_password", length: RegistrationForm.passwordLength)
    }

    static let schemaName = "PasswordChange"
    static let schema = Schema.object([
        .required("current_password", .string(1...128)),
        .required("new_password", .string(RegistrationForm.passwordLength)),
    ])
}

/// A password reset token and the new password.
struct ResetForm: HandReadBody {
    let token: String
    let password: String

    init(from reader: inout ObjectReader) {
        self.token = reader.string("token", length: 1...128)
        self.password = reader.string("password", length: RegistrationForm.passwordLength)
    }

    static let schemaName = "PasswordReset"
    static let schema = Schema.object([
        .required("token", .string(1...128)), .required("password", .string(RegistrationForm.passwordLength)),
    ])
}
