public import SparkCore
import SparkFiles

/// The kernel's clock.
public struct KernelClock: WallClock {
    /// The kernel's clock.
    public init() {}

    /// The current time.
    public func now() -> Timestamp { Timestamp(milliseconds: FileStatus.kernelTime / 1_000_000) }
}
