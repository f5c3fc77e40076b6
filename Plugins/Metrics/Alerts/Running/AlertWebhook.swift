import Logging
import SparkCore
import Synchronization

/// Posts notifications to a receiver. Tests replace it.
protocol AlertPosting: Sendable {
    /// Throws when the receiver does not answer.
    func post(_ body: [UInt8]) async throws -> AlertAnswer
    func close() async
}

/// A receiver's answer.
struct AlertAnswer: Sendable {
    let status: Int
    /// The pause that the receiver asks for.
    var retryAfter: Duration?
}

/// Sends alert notifications to a receiver, one after the other, with a few attempts each.
///
/// Best effort: a notification is dropped and logged if the queue is full (64) or there is no answer within about a minute.
/// Alerts that keep firing are sent again after some hours.
final class AlertWebhook: Sendable {
    private static let queueLimit = 64
    static let tries = 6
    /// The longest pause granted, whatever the receiver asks for: alerts are urgent.
    static let longestPause = Duration.minutes(5)

    private let posting: any AlertPosting
    private let logger: Logger
    private let pause: @Sendable (Duration) async throws -> Void
    private let queue: AsyncStream<AlertNotification>
    private let entrance: AsyncStream<AlertNotification>.Continuation
    /// When the pause that the receiver asked for ends. It applies to all notifications.
    private let pausedUntil = Mutex<ContinuousClock.Instant?>(nil)

    /// - Parameter pause: waits between attempts; replaced in tests.
    init(
        posting: any AlertPosting, logger: Logger,
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    ) {
        self.posting = posting
        self.logger = logger
        self.pause = pause
        (queue, entrance) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(Self.queueLimit))
    }

    func tell(_ notification: AlertNotification) {
        if case .dropped = entrance.yield(notification) {
            logger.error("alert not sent, too many wait", metadata: ["alert": .string(notification.rule)])
        }
    }

    /// Runs until it is cancelled, or finished and the queue is empty.
    func run() async {
        for await notification in queue { await deliver(notification) }
    }

    /// Accepts no more notifications. Queued ones are still sent.
    func finish() { entrance.finish() }

    func close() async {
        finish()
        await posting.close()
    }

    private func deliver(_ notification: AlertNotification) async {
        let body = JSONWriter.bytes(of: notification.json)
        let paused = pausedUntil.withLock { $0.map { $0 - .now } } ?? .zero
        if paused > .zero, (try? await pause(paused)) == nil { return }
        for attempt in 1...Self.tries {
            let answer = try? await posting.post(body)
            let status = answer?.status
            let asked = answer?.retryAfter.map { min($0, Self.longestPause) }
            pausedUntil.withLock { $0 = asked.map { .now + $0 } }
            if let status, (200..<300).contains(status) { return }
            // A receiver refuses the same notification every time. Redirects are not followed, so they count as refusals.
            let isFinal = status.map { $0 < 500 && $0 != 429 && $0 != 408 } ?? false
            let wait = max(.seconds(1 << attempt), asked ?? .zero)
            guard !isFinal, attempt < Self.tries, (try? await pause(wait)) != nil else {
                let metadata: Logger.Metadata = [
                    "alert": .string(notification.rule), "status": .string(status.map { "\($0)" } ?? "none"),
                ]
                return logger.error("alert not sent, the webhook does not accept it", metadata: metadata)
            }
        }
    }
}
