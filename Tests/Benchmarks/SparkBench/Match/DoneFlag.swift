import Glibc
import Synchronization

/// Tells a thread that writes beside a measurement to stop.
final class DoneFlag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .acquiring) }
    func set() { flag.store(true, ordering: .releasing) }

    /// A millisecond.
    static func nap() { usleep(1_000) }
}
