import Synchronization

/// What two threads of a measurement tell each other.
final class Times: Sendable {
    let isOver = Atomic(false)
    /// Nanoseconds of a scrape.
    let scrape = Atomic<Int>(0)
    /// Picoseconds of recording.
    let record = Atomic<Int>(0)
}
