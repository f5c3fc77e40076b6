import Synchronization

/// The time of day, passed in: nothing in Spark reads the system's clock by itself.
public protocol WallClock: Sendable {
    func now() -> Timestamp
}

/// A clock that stands still until it is told to move; for tests and for the ephemeral server.
public final class ManualClock: WallClock {
    private let instant: Mutex<Timestamp>

    public init(_ instant: Timestamp) { self.instant = Mutex(instant) }

    public func now() -> Timestamp { instant.withLock { $0 } }

    public func advance(by duration: Duration) {
        instant.withLock { $0 = $0 + duration }
    }
}
