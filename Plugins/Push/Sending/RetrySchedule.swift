import SparkCore

/// What follows from a provider's answer.
enum RetrySchedule {
    private static let first = Duration.seconds(1)
    /// No delivery waits longer for its next try. What a provider asks for beyond that is kept by its lane.
    static let longest = Duration.minutes(10)
    /// How long a push waits for the operator.
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
            // What would be too late by the time that the provider allows is not kept until then.
            guard now + pause < delivery.expiresAt else { return .cancelled(.expired) }
            return .later(now + min(pause, longest), isAttempt: true)
        }
    }

    /// Given up where nobody would want it any more.
    private static func later(_ time: Timestamp, _ delivery: Delivery, isAttempt: Bool) -> DeliveryEnding {
        time < delivery.expiresAt ? .later(time, isAttempt: isAttempt) : .cancelled(.expired)
    }

    /// 1, 2, 4 … seconds, half of it chance, at most ten minutes.
    static func backoff(attempts: Int, chance: Double) -> Duration {
        let full = min(first.inSeconds * Double(1 << min(max(attempts, 0), 16)), longest.inSeconds)
        return .seconds(full / 2 + full / 2 * chance)
    }
}

extension PushOutcome {
    /// A word for counting; nil when the provider took the push.
    var word: String? {
        if case .misconfigured = self { "misconfigured" } else { reason }
    }

    /// The provider's word, or a sentence for the operator; nil when it took the push.
    var reason: String? {
        switch self {
        case .accepted: nil
        case .gone(let reason, _), .refused(let reason), .later(let reason, _), .misconfigured(let reason): reason
        }
    }
}
