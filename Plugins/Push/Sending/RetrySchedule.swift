import SparkCore

/// Maps a provider's answer to the delivery's result and the time of the next attempt.
enum RetrySchedule {
    private static let first = Duration.seconds(1)
    /// The longest wait for a retry. A dispatch lane keeps longer pauses that a provider asks for.
    static let longest = Duration.minutes(10)
    /// The retry interval while the provider is misconfigured.
    static let mending = Duration.seconds(30)

    /// - Parameter chance: 0 to 1.
    static func ending(of outcome: PushOutcome, _ delivery: Delivery, at now: Timestamp, chance: Double) -> DeliveryEnding {
        switch outcome {
        case .accepted: return .sent
        case .gone(_, let since): return .gone(since: since)
        case .refused: return .refused
        case .misconfigured: return later(now + mending, delivery, isAttempt: false)
        case .later(_, let after):
            let pause = max(backoff(attempts: delivery.attempts, chance: chance), after ?? .zero)
            // A delivery that expires before the provider accepts pushes again is not kept.
            guard now + pause < delivery.expiresAt else { return .cancelled(.expired) }
            return .later(now + min(pause, longest), isAttempt: true)
        }
    }

    /// Drops the delivery if it expires before the retry.
    private static func later(_ time: Timestamp, _ delivery: Delivery, isAttempt: Bool) -> DeliveryEnding {
        time < delivery.expiresAt ? .later(time, isAttempt: isAttempt) : .cancelled(.expired)
    }

    /// 1, 2, 4 … seconds, half of it random, at most ten minutes.
    static func backoff(attempts: Int, chance: Double) -> Duration {
        let full = min(first.inSeconds * Double(1 << min(max(attempts, 0), 16)), longest.inSeconds)
        return .seconds(full / 2 + full / 2 * chance)
    }
}

extension PushOutcome {
    /// The outcome as a metric label; nil when the provider accepted the push.
    var word: String? {
        if case .misconfigured = self { "misconfigured" } else { reason }
    }

    /// The provider's reason code, or a sentence for the operator; nil when it accepted the push.
    var reason: String? {
        switch self {
        case .accepted: nil
        case .gone(let reason, _), .refused(let reason), .later(let reason, _), .misconfigured(let reason): reason
        }
    }
}
