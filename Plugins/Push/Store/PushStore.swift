import SparkCore
import SparkStorage

/// A due batch and the facts for its decision.
struct DueBatch: Sendable {
    let batch: PushBatch
    let news: PushNews
    let settings: NotificationSettings
    let hasDevice: Bool
    let sentToday: Int
}

/// A batch as it was read, and the decision about it.
struct DecidedBatch: Sendable {
    let before: PushBatch
    let after: PushBatch
    let decision: PushBatch.Decision
    let place: PushPlace
    /// The day in the person's time zone that the push counts towards.
    let day: Int64
}

/// The result of a delivery attempt.
enum DeliveryEnding: Hashable, Sendable {
    case sent
    case cancelled(CancelReason)
    /// The token no longer belongs to a device.
    case gone(since: Timestamp?)
    /// The provider will never accept this push.
    case refused
    /// - Parameter isAttempt: whether the provider was asked, so that this counts as an attempt.
    case later(Timestamp, isAttempt: Bool)
}

/// A delivery with its result.
struct FinishedDelivery: Sendable {
    let delivery: Delivery
    let ending: DeliveryEnding
    /// For devices of the provider `log`: the recorded push.
    var record: String?
    /// A pause that the provider asked for, and its place; a nil place is the whole provider.
    var pause: (place: String?, pause: ProviderPause)?
}

/// The data that a delivery's notification is made of, read when it is sent.
struct DeliveryContent: Sendable {
    let news: PushNews
    let settings: NotificationSettings
}

/// The store of Push.
protocol PushStore: Sendable {
    // Devices and settings.
    func devices(of user: UserID) async throws -> [Device]
    /// Registers a device. It replaces the user's device of the same name and any user's device with the same token.
    func register(_ device: Device) async throws
    /// - Throws: `PushError.unknownDevice`.
    func removeDevice(_ name: String, of user: UserID) async throws
    func settings(of user: UserID) async throws -> NotificationSettings
    func set(_ settings: NotificationSettings, for user: UserID) async throws
    /// - Parameter until: nil mutes without end.
    /// - Throws: `PushError.conversationGone`.
    func mute(_ conversation: ConversationID, for user: UserID, until: Timestamp?) async throws
    func unmute(_ conversation: ConversationID, for user: UserID) async throws

    // Deciding.
    /// The due batches, most urgent first.
    func dueBatches(at now: Timestamp, limit: Int) async throws -> [DueBatch]
    /// Carries out decisions. A batch that changed since it was read is skipped and stays due.
    /// - Returns: the services with new deliveries, the number of superseded older ones, and the decisions carried out.
    /// - Parameters:
    ///   - lifetime: of a delivery, counted from its first event.
    ///   - uuid: makes the identifier of each delivery.
    func carryOut(
        _ decided: [DecidedBatch], lifetime: Duration, uuid: @escaping @Sendable () -> String
    ) async throws -> CarriedOut
    func nextDecision() async throws -> Timestamp?

    // Delivering.
    /// Releases the leases of an earlier process.
    func releaseLeases() async throws
    func lease(_ service: PushPlatform, limit: Int) async throws -> [Delivery]
    /// The content of each delivery, keyed by batch.
    func contents(of deliveries: [Delivery], at now: Timestamp) async throws -> [Int64: DeliveryContent]
    /// - Returns: the number of deliveries that were dropped instead of retried, because newer ones cover them.
    func finish(_ deliveries: [FinishedDelivery]) async throws -> Int
    /// The current pauses by place; the empty place is the whole provider.
    func pauses(of service: PushPlatform, at now: Timestamp) async throws -> [String: ProviderPause]
    /// Repairs times stored before the clock was set back, so that nothing waits longer than its maximum.
    func repairTimes(rules: PushRules) async throws
    func nextDelivery(_ service: PushPlatform) async throws -> Timestamp?

    func overview(at now: Timestamp, limit: Int) async throws -> OutboxOverview
}

/// The result of carrying out decisions.
struct CarriedOut: Sendable {
    var services: Set<PushPlatform> = []
    var superseded = 0
    /// The decisions that were carried out, by index.
    var done: Set<Int> = []
}
