import SparkCore

/// Whose service brings a push to a device. The raw values stand in the store.
enum PushPlatform: Int64, CaseIterable, Sendable {
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

    init?(wire: String) {
        guard let service = Self.allCases.first(where: { $0.wire == wire }) else { return nil }
        self = service
    }

    static let wireWords = allCases.map(\.wire)
}

/// How urgent a push is; each provider has its own words for it.
enum PushPriority: Int64, CaseIterable, Comparable, Sendable {
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

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Where a push goes: what a device registered.
struct PushTarget: Hashable, Sendable {
    let service: PushPlatform
    /// APNs: hexadecimal digits; FCM: the registration token; Web Push: the endpoint's URL.
    let token: String
    /// Web Push (RFC 8291): the browser's public key on P-256, uncompressed, 65 bytes. Empty otherwise.
    var publicKey: [UInt8] = []
    /// Web Push: the authentication secret, 16 bytes. Empty otherwise.
    var secret: [UInt8] = []
    /// APNs: the token is of the development environment.
    var isSandbox = false
    /// When this device last registered this token; what a provider says of an older time is not meant.
    let registeredAt: Timestamp
}

/// What one device is to show.
struct PushNotification: Sendable {
    /// A lower-case UUID; the same at every try, so that a provider can tell a repetition.
    let id: String
    let target: PushTarget
    let title: String
    let body: String
    /// The number on the app's icon: a total, never an increment. Nil leaves it.
    let badge: Int?
    /// A later push with the same one takes the place of this. Letters, digits, `-` and `_`, at most 32.
    let collapseID: String
    /// Groups pushes on the screen; the same alphabet.
    let thread: String
    let priority: PushPriority
    /// Shown without sound or vibration.
    let isQuiet: Bool
    /// Not worth showing after this.
    let expiresAt: Timestamp
    /// What the app is told beside the text: names and identifiers, such as `kind` and `conversation_id`. At most a dozen short ones.
    let data: [(name: String, value: String)]
}

/// What became of a try. Reasons are the provider's words out of its table, so there are few of them; they carry no data of people.
enum PushOutcome: Hashable, Sendable {
    /// The provider has it.
    case accepted
    /// The token is of no device any more, as of that time; nil: now.
    case gone(reason: String, since: Timestamp?)
    /// This push will never be taken; others may.
    case refused(reason: String)
    /// Not now: the provider, the way to it, or its limits. Nil: whenever the backoff says.
    case later(reason: String, after: Duration?)
    /// Nothing at all goes to this provider until the operator has mended it: keys, clock, certificate.
    case misconfigured(reason: String)
}

/// Whom it concerns that a provider cannot take a push, or wants to be left alone for a while.
enum PauseScope: Hashable, Sendable {
    /// Every push.
    case provider
    /// Those to one place of several that the provider reaches, such as a push service's host.
    case place(String)
    /// This one alone.
    case delivery
}

/// One way to devices. Knows nothing of the store, the outbox or why something is pushed.
protocol PushProvider: Sendable {
    /// Tries once, and answers within `deadline`. Never throws: every trouble is an outcome.
    func send(_ notification: PushNotification, deadline: Duration) async -> PushOutcome
    /// What a pause concerns that follows from a push to this device; the reason is the outcome's, nil before a try.
    func pauseScope(of target: PushTarget, reason: String?) -> PauseScope
    /// What keeps it from sending, in one line for the operator that names setting or file; nil when all that can be seen from here
    /// is well. Asks no provider.
    func fault() async -> String?
    /// Ends its connections.
    func shutDown() async
}

extension PushProvider {
    func pauseScope(of target: PushTarget, reason: String?) -> PauseScope { .provider }
}

/// Stands where nothing is set up: keeps what is to be sent and says what is missing.
struct UnreadyProvider: PushProvider {
    let reason: String

    func send(_ notification: PushNotification, deadline: Duration) async -> PushOutcome { .misconfigured(reason: reason) }
    func fault() async -> String? { reason }
    func shutDown() async {}
}

/// Takes everything and sends nothing, for development and fixtures; what it took stands in the outbox.
struct LogProvider: PushProvider {
    func send(_ notification: PushNotification, deadline: Duration) async -> PushOutcome { .accepted }
    func fault() async -> String? { nil }
    func shutDown() async {}
}
