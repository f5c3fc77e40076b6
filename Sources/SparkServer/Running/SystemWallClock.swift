import CDispatch
import Glibc
public import SparkCore

/// The operating system's clock. No other code reads it.
public struct SystemWallClock: WallClock {
    /// The system's clock.
    public init() {}

    /// The current time.
    public func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }
}
