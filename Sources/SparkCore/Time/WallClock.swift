import Synchronization

/// The time of day, passed in: nothing in Spark reads the system's clock by itself.
public protocol WallClock: Sendable {
    func now() -> Timestamp
}

/// A clock that stands still until it is told to move; for tests and for the ephemeral server.
///
/// Reading it takes no lock: who reads it on the way of every step shares it with all other threads.
public final class ManualClock: WallClock {
    private let milliseconds: Atomic<Int64>

    public init(_ instant: Timestamp) { self.milliseconds = Atomic(instant.milliseconds) }

    public func now() -> Timestamp { Timestamp(milliseconds: milliseconds.load(ordering: .acquiring)) }

    public func advance(by duration: Duration) {
        milliseconds.wrappingAdd(duration.milliseconds, ordering: .acquiringAndReleasing)
    }
}
