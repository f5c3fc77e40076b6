import SparkCore

/// How often and how fast a person may move.
struct LocationLimits: Hashable, Sendable {
    let changesPerHour: Int
    /// 0 for no limit.
    let speedKilometresPerHour: Int
}

/// When a person moved, as far as it is remembered. Decides whether the next move is believed.
///
/// Why: who may set a place at will can measure somebody from many places; slow and rare moves make that dear.
///
/// A first place may be wrong, a device that answers 0, 0 before it knows. So within the hour after it one further move is believed at any
/// speed, once in the life of an account; it is counted like any other.
struct LocationPace: Hashable, Sendable {
    private static let window = Duration.hours(1)

    var changedAt: Timestamp?
    /// The hour in which moves are counted begins with its first move.
    var windowStart: Timestamp?
    var windowCount = 0
    /// Until then the first place may be corrected; nil once it was, and before it.
    var correctableUntil: Timestamp?

    /// The pace of a person who has just set a first location.
    static func first(at now: Timestamp) -> LocationPace {
        LocationPace(changedAt: now, windowStart: now, windowCount: 1, correctableUntil: now + window)
    }

    /// Counts a move to another cell, or refuses it and remembers nothing.
    /// - Parameter metres: how far the move goes at least.
    mutating func admit(metres: Double, at now: Timestamp, limits: LocationLimits) throws(ProfilesError) {
        let isWindowOpen = windowStart.map { now >= $0 && now - $0 < Self.window } ?? false
        if isWindowOpen, let windowStart, windowCount >= limits.changesPerHour {
            throw .locationRateLimited(retryAfter: windowStart + Self.window - now)
        }
        // A move from the future was noted under a clock that was put back since: nobody knows when it was.
        if let changedAt, changedAt <= now, limits.speedKilometresPerHour > 0 {
            let milliseconds = metres / Double(limits.speedKilometresPerHour) * 3_600
            let earliest = changedAt + .milliseconds(Int64(milliseconds.rounded(.up)))
            if now < earliest {
                guard let end = correctableUntil, now < end, now >= end - Self.window else {
                    throw .locationTooFast(retryAfter: earliest - now)
                }
                self.correctableUntil = nil
            }
        } else if changedAt == nil {
            correctableUntil = now + Self.window
        }
        if !isWindowOpen { (windowStart, windowCount) = (now, 0) }
        windowCount += 1
        changedAt = now
    }
}
