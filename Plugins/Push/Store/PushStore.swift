import SparkCore
import SparkStorage

/// A batch that is due, with what decides it.
struct DueBatch: Sendable {
    let batch: PushBatch
    let news: PushNews
    let settings: NotificationSettings
    let hasDevice: Bool
    let sentToday: Int
}

/// A batch as it was read, and what was decided of it.
struct DecidedBatch: Sendable {
    let before: PushBatch
    let after: PushBatch
    let decision: PushBatch.Decision
    let place: PushPlace
    /// The day in the person's time zone that the push counts for.
    let day: Int64
}

/// How a try to deliver ended.
enum DeliveryEnding: Hashable, Sendable {
    case sent
    case cancelled(CancelReason)
    /// The token is of no device any more.
    case gone(since: Timestamp?)
    /// Never to be sent.
    case refused
    /// - Parameter isAttempt: it was tried, and counts.
    case later(Timestamp, isAttempt: Bool)
}

/// A delivery that was tried.
struct FinishedDelivery: Sendable {
    let delivery: Delivery
    let ending: DeliveryEnding
    /// For devices that only record: what they were sent.
    var record: String?
    /// What the provider asked for, and where; nil for the provider as a whole.
    var pause: (place: String?, pause: ProviderPause)?
}

/// What a delivery is made of when it leaves.
struct DeliveryContent: Sendable {
    let news: PushNews
    let settings: NotificationSettings
}

/// Push's part of the store.
protocol PushStore: Sendable {
    // Devices and settings.
    func devices(of user: UserID) async throws -> [Device]
    /// In place of the one of its name, and of the one of its token, whosever that is.
    func register(_ device: Device) async throws
    /// - Throws: `PushError.unknownDevice`.
    func removeDevice(_ name: String, of user: UserID) async throws
    func settings(of user: UserID) async throws -> NotificationSettings
    func set(_ settings: NotificationSettings, for user: UserID) async throws
    /// - Parameter until: nil: for good.
    /// - Throws: `PushError.conversationGone`.
    func mute(_ conversation: ConversationID, for user: UserID, until: Timestamp?) async throws
    func unmute(_ conversation: ConversationID, for user: UserID) async throws

    // Deciding.
    /// The most urgent first.
    func dueBatches(at now: Timestamp, limit: Int) async throws -> [DueBatch]
    /// Carries decisions out; a batch that has changed since it was read is left, and due again.
    /// - Returns: the services that have something new to send, and how many older deliveries were superseded.
    /// - Parameters:
    ///   - lifetime: of a delivery, from its first event.
    ///   - uuid: makes an identifier for each delivery.
    func carryOut(
        _ decided: [DecidedBatch], lifetime: Duration, uuid: @escaping @Sendable () -> String
    ) async throws -> CarriedOut
    func nextDecision() async throws -> Timestamp?

    // Delivering.
    /// Gives back what a process leased that is no more.
    func releaseLeases() async throws
    func lease(_ service: PushPlatform, limit: Int) async throws -> [Delivery]
    /// By the deliveries' batches.
    func contents(of deliveries: [Delivery], at now: Timestamp) async throws -> [Int64: DeliveryContent]
    /// - Returns: how many of those to be tried again were dropped, as newer ones say it all.
    func finish(_ deliveries: [FinishedDelivery]) async throws -> Int
    /// What the provider, or places that it reaches, asked for before; the empty place is the provider as a whole.
    func pauses(of service: PushPlatform, at now: Timestamp) async throws -> [String: ProviderPause]
    /// Makes harmless what was noted under a clock that was put back since: nothing waits longer than it ever may.
    func repairTimes(rules: PushRules) async throws
    func nextDelivery(_ service: PushPlatform) async throws -> Timestamp?

    func overview(at now: Timestamp, limit: Int) async throws -> OutboxOverview
}

/// What followed from decisions.
struct CarriedOut: Sendable {
    var services: Set<PushPlatform> = []
    var superseded = 0
    /// What was indeed carried out, by index.
    var done: Set<Int> = []
}
