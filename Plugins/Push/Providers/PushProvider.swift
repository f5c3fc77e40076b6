import SparkCore

/// A push platform. The raw values are stored.
enum PushPlatform: Int64, WireWord {
    case apns = 0
    case fcm = 1
    case webpush = 2
    case log = 3

    var wire: String {
        switch self {
        case .apns: "apns"
        case .fcm: "fcm"
        case .webpush: "webpush"
        case .log: "log"
        }
    }

    static let summary = "A push platform."
}

/// The urgency of a push; providers map it to their own values.
enum PushPriority: Int64, WireWord, Comparable {
    case low = 0
    case medium = 1
    case high = 2

    var wire: String {
        switch self {
        case .low: "low"
        case .medium: "medium"
        case .high: "high"
        }
    }

    static let summary = "The urgency of a push."

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// The address of a push, as a device registered it.
struct PushTarget: Hashable, Sendable {
    let service: PushPlatform
    /// APNs: hexadecimal digits; FCM: the registration token; Web Push: the endpoint's URL.
    let token: String
    /// Web Push (RFC 8291): the browser's public key on P-256, uncompressed, 65 bytes. Empty otherwise.
    var publicKey: [UInt8] = []
    /// Web Push: the authentication secret, 16 bytes. Empty otherwise.
    var secret: [UInt8] = []
    /// APNs: whether the token belongs to the development environment.
    var isSandbox = false
    /// When this device last registered this token. A provider's report about an earlier time does not apply.
    let registeredAt: Timestamp
}

/// The notification for one device.
struct PushNotification: Sendable {
    /// A lower-case UUID, the same at every attempt, so that a provider can recognize a repetition.
    let id: String
    let target: PushTarget
    let title: String
    let body: String
    /// The number on the app's icon: a total, never an increment. Nil leaves it unchanged.
    let badge: Int?
    /// A later push with the same collapse id replaces this one. Letters, digits, `-` and `_`, at most 32.
    let collapseID: String
    /// Groups pushes on the screen. The same alphabet as `collapseID`.
    let thread: String
    let priority: PushPriority
    /// Shown without sound or vibration.
    let isQuiet: Bool
    /// The push is not shown after this time.
    let expiresAt: Timestamp
    /// Names and identifiers for the app, such as `kind` and `conversation_id`. At most a dozen short ones.
    let data: [(name: String, value: String)]
}

/// The outcome of an attempt. Reasons come from a fixed table, so there are few of them, and contain no personal data.
enum PushOutcome: Hashable, Sendable {
    /// The provider accepted the push.
    case accepted
    /// The token belongs to no device since that time; nil means now.
    case gone(reason: String, since: Timestamp?)
    /// The provider will never accept this push; it may accept others.
    case refused(reason: String)
    /// Temporary failure of the provider, the connection or a limit. Nil leaves the time of the retry to the backoff.
    case later(reason: String, after: Duration?)
    /// Nothing can be sent to this provider until the operator fixes it: keys, clock, certificate.
    case misconfigured(reason: String)
}

/// The pushes that a failure or a pause of a provider concerns.
enum PauseScope: Hashable, Sendable {
    /// Every push to the provider.
    case provider
    /// Pushes to one of the provider's places, such as a push service's host.
    case place(String)
    /// Only this push.
    case delivery
}

/// Sends pushes to one platform. Knows nothing of the store, the outbox or the reason for a push.
protocol PushProvider: Sendable {
    /// Makes one attempt and returns within `deadline`. Never throws: every error is an outcome.
    func send(_ notification: PushNotification, deadline: Duration) async -> PushOutcome
    /// The pushes that a pause after a push to this device concerns. `reason` is that of the outcome; nil before an attempt.
    func pauseScope(of target: PushTarget, reason: String?) -> PauseScope
    /// A configuration problem that prevents sending, in one line that names the setting or file; nil when none is visible
    /// locally. Does not contact the provider.
    func fault() async -> String?
    /// Closes the connections.
    func shutDown() async
}

extension PushProvider {
    func pauseScope(of target: PushTarget, reason: String?) -> PauseScope { .provider }
}

/// The provider of a platform that is not configured: keeps the deliveries and reports what is missing.
struct UnreadyProvider: PushProvider {
    let reason: String

    func send(_ notification: PushNotification, deadline: Duration) async -> PushOutcome { .misconfigured(reason: reason) }
    func fault() async -> String? { reason }
    func shutDown() async {}
}

/// Accepts every push and sends none, for development and tests. The outbox shows the accepted pushes.
struct LogProvider: PushProvider {
    func send(_ notification: PushNotification, deadline: Duration) async -> PushOutcome { .accepted }
    func fault() async -> String? { nil }
    func shutDown() async {}
}
