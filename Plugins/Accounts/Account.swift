import Crypto
import SparkCore

/// A stored account.
struct Account: Sendable {
    let id: UserID
    /// Normalized, see `EmailAddress`.
    let email: String
    /// Nil for accounts without a password login.
    let passwordHash: String?
    let createdAt: Timestamp
    /// When the owner asked for deletion; nil while the account is open.
    let closedAt: Timestamp?
}

/// One login of an account on one device. It lasts as long as its chain of refresh tokens.
struct Session: Sendable {
    let id: SessionID
    let user: UserID
    let createdAt: Timestamp
    /// When the session was opened or last refreshed. Requests do not update it: each would cost a write.
    let lastUsedAt: Timestamp
    let label: String
}

/// A session about to be opened.
struct NewSession: Sendable {
    let id: SessionID
    let user: UserID
    let openedAt: Timestamp
    let label: String
    /// Hash and end of the first refresh token; nil for a session that cannot be refreshed.
    let refreshToken: (hash: [UInt8], expiresAt: Timestamp)?
    /// The fingerprint of the network that opens the session. The account remembers it; nil to remember none.
    let network: [UInt8]?
    /// Sessions last used before this have no valid token left. Opening a session deletes a few of them.
    let deadBefore: Timestamp
}

/// A client's request to exchange a refresh token for its successor.
struct Refresh: Sendable {
    let tokenHash: [UInt8]
    let successorHash: [UInt8]
    let at: Timestamp
    let successorExpiresAt: Timestamp
    let repeatWindow: Duration
    let network: String
}

/// The result of one erasure step.
enum ErasureOutcome: Sendable, Equatable {
    /// The account was reopened, closed again later, or is already erased.
    case obsolete
    /// There is more to remove.
    case unfinished
    case finished
}

/// The result of presenting a refresh token.
enum RefreshOutcome: Sendable, Equatable {
    /// The successor is now the session's token, or the client gets it a second time.
    case granted(UserID, SessionID)
    /// The session has been revoked.
    case reused(UserID, SessionID)
    case refused
}

/// The job that erases an account when its grace period ends.
struct ErasureJob: Sendable, Equatable {
    static let topic = "accounts.erase"

    let user: UserID
    /// Identifies the closing that enqueued the job; the job does not erase for a later one.
    let closedAt: Timestamp

    private struct Malformed: Error {}
}

extension ErasureJob: RequestBody {
    static let body = BodyFields<ErasureJob>("ErasureJob", "The erasure of a deleted account.", ErasureJob.init(user:closedAt:)) {
        Field("user", \.user)
        Field("closed_at", \.closedAt, .milliseconds)
    }

    /// - Throws: `Malformed` when `payload` is not an encoded `ErasureJob`.
    init(payload: [UInt8]) throws {
        guard let job = try? ErasureJob.read(try JSONParser.parse(payload), allowingUnknown: true) else { throw Malformed() }
        self = job
    }
}

extension FieldType where Value == Timestamp {
    /// A time as milliseconds since 1970.
    fileprivate static var milliseconds: FieldType {
        FieldType<Int64>.integer(.min ... .max).map(from: { Timestamp(milliseconds: $0) }, to: \.milliseconds)
    }
}

/// An account as an operator sees it.
struct AccountStanding: Sendable {
    let account: Account
    let suspendedAt: Timestamp?
    let suspensionReason: String?
    let openSessions: Int

    /// `open`, `closed` or `suspended`. A suspended account may also be closed.
    var word: String { suspendedAt != nil ? "suspended" : account.closedAt != nil ? "closed" : "open" }
}

/// Fingerprints of the networks that signed in to an account. A fingerprint is a keyed hash over network and account: the
/// database does not reveal networks, and two accounts' fingerprints cannot be compared.
struct KnownNetworks: Sendable {
    /// Networks remembered per account; the least recently seen one is dropped.
    static let perAccount = 16
    private static let length = 16

    let key: SymmetricKey

    func fingerprint(of network: String, at user: UserID) -> [UInt8] {
        let code = HMAC<SHA256>.authenticationCode(for: Array("\(user.wire) \(network)".utf8), using: key)
        return Array(code.prefix(Self.length))
    }
}
