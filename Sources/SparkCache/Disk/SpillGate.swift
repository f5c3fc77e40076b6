import Logging
import Synchronization

/// A circuit breaker that many threads share. While nothing fails it costs one atomic load.
final class SpillGate: Sendable {
    private let breaker: Mutex<SpillBreaker>
    /// Closed, and not one failure counted.
    private let isUntroubled = Atomic(true)
    private let monotonic: @Sendable () -> UInt64
    private let logger: Logger
    private let work: String

    /// - Parameter work: what it lets through, for the log.
    init(_ breaker: SpillBreaker, work: String, monotonic: @escaping @Sendable () -> UInt64, logger: Logger) {
        self.breaker = Mutex(breaker)
        self.work = work
        self.monotonic = monotonic
        self.logger = logger
    }

    var isClosed: Bool { isUntroubled.load(ordering: .relaxed) || breaker.withLock { $0.isClosed } }

    /// Whether work may go on; it then reports by `succeed` or `fail`.
    func admits() -> Bool {
        isUntroubled.load(ordering: .relaxed) || breaker.withLock { $0.admits(now: monotonic()) }
    }

    func succeed() {
        guard !isUntroubled.load(ordering: .relaxed) else { return }
        let isNowClosed = breaker.withLock { breaker in
            let isNowClosed = breaker.succeed()
            if breaker.state == .closed(failures: 0) { isUntroubled.store(true, ordering: .relaxed) }
            return isNowClosed
        }
        if isNowClosed { logger.notice("The disk tier works again", metadata: ["work": "\(work)"]) }
    }

    func fail(_ fault: SpillFault) {
        let isNowOpen = breaker.withLock { breaker in
            isUntroubled.store(false, ordering: .relaxed)
            return breaker.fail(now: monotonic())
        }
        if isNowOpen {
            logger.warning(
                "The disk tier keeps failing and is off for a while",
                metadata: ["work": "\(work)", "errno": .stringConvertible(fault.code)])
        }
    }
}
