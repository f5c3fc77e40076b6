import SparkCore

/// When the next backup, or the next drill, is due. Counts the wall clock, so that a restart changes nothing, and a clock that only moves
/// forward, so that a wall clock which was set back does not stop backups.
struct BackupSchedule: Sendable {
    /// How often something is done.
    enum Rhythm: Hashable, Sendable {
        /// So long after the last time.
        case every(Duration)
        /// Once a day at this full hour, UTC.
        case daily(hour: Int)

        /// The time from one to the next.
        var interval: Duration {
            switch self {
            case .every(let interval): interval
            case .daily: .days(1)
            }
        }

        /// When it is due again.
        func next(after last: Timestamp) -> Timestamp {
            switch self {
            case .every(let interval): return last + interval
            case .daily(let hour):
                let day = (last - .hours(hour)).date.daysSinceEpoch
                return Timestamp(milliseconds: (day + 1) &* 86_400_000) + .hours(hour)
            }
        }
    }

    private let rhythm: Rhythm
    /// Since when this process knows the last success.
    private var knownSince: ContinuousClock.Instant?
    private var failedAt: ContinuousClock.Instant?
    private var failures = 0

    /// The wait after the first failure; it doubles with each further one.
    static let firstRetry = Duration.minutes(15)
    /// How long after an attempt that a killed process began the next one waits.
    static let afterKill = Duration.minutes(15)

    init(_ rhythm: Rhythm) { self.rhythm = rhythm }

    init(interval: Duration) { self.init(.every(interval)) }

    /// - Parameters:
    ///   - encrypts: whether the next backup will be encrypted. If the last one is not, it does not count: it cannot be restored where
    ///     encryption is required.
    ///   - instant: the time of a clock that never goes back.
    func isDue(_ record: BackupRecord, encrypts: Bool, now: Timestamp, instant: ContinuousClock.Instant) -> Bool {
        let counts = record.isEncrypted || !encrypts || knownSince != nil
        return isDue(last: counts ? record.succeededAt : nil, attempted: record.attemptedAt, now: now, instant: instant)
    }

    /// - Parameters:
    ///   - last: when it was done, or from when on it is to be done; nil if it is to be done at once.
    ///   - attempted: when it was last begun.
    ///   - instant: the time of a clock that never goes back.
    func isDue(last: Timestamp?, attempted: Timestamp?, now: Timestamp, instant: ContinuousClock.Instant) -> Bool {
        if let failedAt { return failedAt.duration(to: instant) >= retry }
        if let attempted, attempted > last ?? Timestamp(milliseconds: .min), knownSince == nil {
            // A process that died meanwhile, perhaps again and again.
            guard attempted > now || attempted + Self.afterKill <= now else { return false }
        }
        guard let last else { return true }
        if let knownSince, knownSince.duration(to: instant) >= rhythm.interval { return true }
        // A success in the future is one of a clock that was ahead.
        if last > now { return knownSince == nil }
        return rhythm.next(after: last) <= now
    }

    /// The wait after the last failure: at most a quarter of the interval, so that one missed night does not become two.
    private var retry: Duration {
        min(Self.firstRetry * (1 << min(max(failures, 1) - 1, 4)), max(rhythm.interval / 4, Self.firstRetry))
    }

    mutating func succeeded(at instant: ContinuousClock.Instant) { (knownSince, failedAt, failures) = (instant, nil, 0) }

    mutating func failed(at instant: ContinuousClock.Instant) { (failedAt, failures) = (instant, failures + 1) }
}
