public import SparkCore

/// Moves the clock of an ephemeral server. Modules find it as `ModuleContext.clockControl`; other servers have none.
///
/// A move forward does everything that falls due on the way: dated work (`TimedWork`) at its times and in their order, sampled work
/// once at the end. It returns when that is done: what was gathered in memory is written, every event has reached its subscribers,
/// and every durable job that is due has run. Connections stay open; those whose token expires on the way are closed. Moves take
/// place one after the other, in the order of their calls.
///
/// What measures how long something takes follows real time: heartbeats and idle timers of connections, deadlines of requests,
/// pauses between attempts.
public protocol ClockControl: Sendable {
    /// The present time of the server.
    var now: Timestamp { get }
    /// True while the clock stands still. Otherwise it runs as fast as real time.
    var isFrozen: Bool { get }
    /// Stops the clock, or lets it run on from where it stands.
    /// - Returns: The time of the change.
    @discardableResult func freeze(_ isFrozen: Bool) async -> Timestamp
    /// Moves the clock forward to a time.
    /// - Returns: The time after the move. A clock that is not frozen runs on from there.
    /// - Throws: `ClockError` for a time in the past or after `ClockError.latest`; the error of the storage that prevented the
    ///   work on the way. The clock then stands where the work failed.
    @discardableResult func set(_ time: Timestamp) async throws -> Timestamp
    /// Moves the clock forward by a duration; zero does what is due now.
    /// - Returns: The time after the move.
    /// - Throws: As `set`.
    @discardableResult func advance(by duration: Duration) async throws -> Timestamp
    /// Puts the clock to any time without running anything, also back. Only for a server whose data was replaced by that of the
    /// time.
    func restore(_ time: Timestamp, isFrozen: Bool) async
}

/// Why the clock was not moved.
public enum ClockError: ClientError {
    /// The time is before the present one.
    case backwards
    /// The time is after `latest`.
    case tooLate

    /// The latest time to which a clock can be set: the beginning of the year 2080. Identifiers hold times up to 2089.
    public static let latest = Timestamp(milliseconds: 3_471_292_800_000)

    /// `clock.backwards` or `clock.too_late`.
    public var code: String {
        switch self {
        case .backwards: "clock.backwards"
        case .tooLate: "clock.too_late"
        }
    }

    /// 422.
    public var status: Int { 422 }

    /// One sentence for people.
    public var detail: String {
        switch self {
        case .backwards: "The clock only goes forward: the time is before the present one."
        case .tooLate: "The time is too late: clocks go up to the year 2080."
        }
    }
}
