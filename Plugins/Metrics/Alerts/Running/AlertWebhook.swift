import Logging
import SparkCore
import Synchronization

/// Posts a notification; where to is its own affair. Tests have another.
protocol AlertPosting: Sendable {
    /// Throws when there is no answer.
    func post(_ body: [UInt8]) async throws -> AlertAnswer
    func close() async
}

/// What a receiver answered.
struct AlertAnswer: Sendable {
    let status: Int
    /// For how long it asks to be left alone.
    var retryAfter: Duration?
}

/// Tells a receiver of alerts, one notification after the other, each tried a few times.
///
/// Best effort: what finds no room (64) or no answer in about a minute is dropped and said so in the log; what still fires is told again
/// after some hours.
final class AlertWebhook: Sendable {
    private static let queueLimit = 64
    static let tries = 6
    /// No receiver is left alone for longer, whatever it says: alerts are urgent.
    static let longestPause = Duration.minutes(5)

    private let posting: any AlertPosting
    private let logger: Logger
    private let pause: @Sendable (Duration) async throws -> Void
    private let queue: AsyncStream<AlertNotification>
    private let entrance: AsyncStream<AlertNotification>.Continuation
    /// Until when the receiver asked to be left alone, with whatever notification.
    private let pausedUntil = Mutex<ContinuousClock.Instant?>(nil)

    /// - Parameter pause: waits between tries; tests do not.
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
            logger.error("alert not told, too many wait", metadata: ["alert": .string(notification.rule)])
        }
    }

    /// Until it is cancelled, or closed and all is told.
    func run() async {
        for await notification in queue { await deliver(notification) }
    }

    /// Tells what waits, then nothing more is taken.
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
            // What the receiver refuses it will refuse again; redirects are not followed, so they are refusals, too.
            let isFinal = status.map { $0 < 500 && $0 != 429 && $0 != 408 } ?? false
            let wait = max(.seconds(1 << attempt), asked ?? .zero)
            guard !isFinal, attempt < Self.tries, (try? await pause(wait)) != nil else {
                let metadata: Logger.Metadata = [
                    "alert": .string(notification.rule), "status": .string(status.map { "\($0)" } ?? "none"),
                ]
                return logger.error("alert not told, the webhook does not take it", metadata: metadata)
            }
        }
    }
}
