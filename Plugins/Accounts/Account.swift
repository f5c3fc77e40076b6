import SparkCore

/// One account as it is stored.
struct Account: Sendable {
    let id: UserID
    /// Normalised.
    let email: String
    /// Nil for people who cannot log in by password.
    let passwordHash: String?
    let createdAt: Timestamp
    /// When the owner asked for deletion; nil while open.
    let closedAt: Timestamp?
}

/// One login of an account, on one device: the lifetime of one chain of refresh tokens.
struct Session: Sendable {
    let id: SessionID
    let user: UserID
    let createdAt: Timestamp
    /// When it was opened or last refreshed. Requests do not move it: that would be a write each.
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
    /// The fingerprint of the network it is opened from, which the account knows from then on; nil to remember none.
    let network: [UInt8]?
    /// Sessions last used before this are dead: no token of theirs is valid. Opening one clears a few of them away.
    let deadBefore: Timestamp
}

/// The presentation of a refresh token.
struct Refresh: Sendable {
    let tokenHash: [UInt8]
    let successorHash: [UInt8]
    let at: Timestamp
    let successorExpiresAt: Timestamp
    let repeatWindow: Duration
    let network: String
}

/// How far a step of an erasure came.
enum ErasureOutcome: Sendable, Equatable {
    /// The account is open again, was closed anew, or is gone.
    case obsolete
    /// There is more to remove.
    case unfinished
    case finished
}

enum RefreshOutcome: Sendable, Equatable {
    /// The successor is the session's token from now on, or is told once more.
    case granted(UserID, SessionID)
    /// The session has been revoked.
    case reused(UserID, SessionID)
    case refused
}

/// The job that erases an account when its grace is over.
struct ErasureJob: Sendable, Equatable {
    static let topic = "accounts.erase"

    let user: UserID
    /// Erases only the closing that asked for it, not a later one.
    let closedAt: Timestamp

    struct Malformed: Error {}
}

extension ErasureJob: JSONWritable {
    /// - Throws: `Malformed` for what this type did not write.
    init(payload: [UInt8]) throws {
        let json = try JSONParser.parse(payload)
        guard let user = json["user"]?.string.flatMap({ UserID(wire: $0) }), let closedAt = json["closed_at"]?.integer else {
            throw Malformed()
        }
        self.init(user: user, closedAt: Timestamp(milliseconds: closedAt))
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("user", user)
            writer.field("closed_at", closedAt.milliseconds)
        }
    }
}

/// An account as those who run the server see it.
struct AccountStanding: Sendable {
    let account: Account
    let suspendedAt: Timestamp?
    let suspensionReason: String?
    let openSessions: Int

    /// `open`, `closed`, `suspended`; a suspended account may be closed, too.
    var word: String { suspendedAt != nil ? "suspended" : account.closedAt != nil ? "closed" : "open" }
}
