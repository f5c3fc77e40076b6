import Synchronization

/// The time of day. Spark gets it from this clock and reads the system's clock nowhere else.
public protocol WallClock: Sendable {
    /// The current time. Callable from any thread.
    func now() -> Timestamp
}

/// A clock that only moves when `advance(by:)` is called, for tests and ephemeral servers.
///
/// Reading it takes no lock, because all threads read it very often.
public final class ManualClock: WallClock {
    private let milliseconds: Atomic<Int64>

    /// A clock that stops at an instant.
    public init(_ instant: Timestamp) { self.milliseconds = Atomic(instant.milliseconds) }

    /// The instant that was last set.
    public func now() -> Timestamp { Timestamp(milliseconds: milliseconds.load(ordering: .acquiring)) }

    /// Moves the clock forward, or back if the duration is negative.
    public func advance(by duration: Duration) {
        milliseconds.wrappingAdd(duration.milliseconds, ordering: .acquiringAndReleasing)
    }
}
