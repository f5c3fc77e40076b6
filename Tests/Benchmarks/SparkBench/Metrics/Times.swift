import Glibc
import Synchronization

/// The state that two threads of a measurement share.
final class Times: Sendable {
    let isOver = Atomic(false)
    /// Nanoseconds of a scrape.
    let scrape = Atomic<Int>(0)
    /// Picoseconds of recording.
    let record = Atomic<Int>(0)
}

/// Processor time that the threads of a measurement spent.
final class Spent: Sendable {
    let nanoseconds = Atomic<Int>(0)
}

/// The processor time of the calling thread.
enum ThreadClock {
    static var nanoseconds: Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
