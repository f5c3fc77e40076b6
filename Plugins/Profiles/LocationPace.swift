import SparkCore

/// How often and how fast a person may move.
struct LocationLimits: Hashable, Sendable {
    let changesPerHour: Int
    /// 0 removes the limit.
    let speedKilometresPerHour: Int
}

/// The recent moves of a person. Decides whether the next move is accepted.
///
/// A person who could set any place at will could measure somebody's distance from many places; slow and rare moves make that
/// expensive.
///
/// A first place may be wrong, for example from a device that reports 0, 0 before it has a fix. So within an hour of the first
/// place, one further move is accepted at any speed, once in the life of an account. It counts like any other move.
struct LocationPace: Hashable, Sendable {
    private static let window = Duration.hours(1)

    var changedAt: Timestamp?
    /// The start of the hour in which moves are counted, which is its first move.
    var windowStart: Timestamp?
    var windowCount = 0
    /// The first place may be corrected until then; nil before the first place and after the correction.
    var correctableUntil: Timestamp?

    /// The pace of a person who has just set a first location.
    static func first(at now: Timestamp) -> LocationPace {
        LocationPace(changedAt: now, windowStart: now, windowCount: 1, correctableUntil: now + window)
    }

    /// Counts a move to another cell, or refuses it and changes nothing.
    /// - Parameter metres: the least distance of the move.
    /// - Throws: `ProfilesError.locationRateLimited`, `.locationTooFast`.
    mutating func admit(metres: Double, at now: Timestamp, limits: LocationLimits) throws(ProfilesError) {
        let isWindowOpen = windowStart.map { now >= $0 && now - $0 < Self.window } ?? false
        if isWindowOpen, let windowStart, windowCount >= limits.changesPerHour {
            throw .locationRateLimited(retryAfter: windowStart + Self.window - now)
        }
        // A move in the future was recorded before the clock was set back. Its true time is unknown, so it is ignored.
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
