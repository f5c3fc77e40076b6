import Logging
import SparkCore
import SparkHTTP
import SparkKit
import Synchronization

/// Detects that the clock was set back, and lets every module repair rows that hold times in the future.
///
/// A server whose clock was ahead has stored times far in the future. Each kind of wait has a maximum length, and after a repair
/// no wait is longer than that.
final class ClockKeeping: Sendable {
    /// How far a clock may be set back in normal operation.
    private static let tolerance = Duration.milliseconds(500)

    private struct State {
        var last: Timestamp?
        /// Whether a repair is due. The first always is, because the clock before the start is unknown.
        var mustRepair = true
    }

    private let repairs: [@Sendable () async throws -> Void]
    private let clock: any WallClock
    private let logger: Logger
    private let state = Mutex(State())

    init(repairs: [@Sendable () async throws -> Void], clock: any WallClock, logger: Logger) {
        self.repairs = repairs
        self.clock = clock
        self.logger = logger
    }

    /// Looks once a second.
    var work: TimedWork { .sampled("server.clock", every: .seconds(1)) { await self.look() } }

    /// Repairs if the clock was set back since the last look, or if the last repair failed.
    func look() async {
        let now = clock.now()
        let mustRepair = state.withLock { state in
            if let last = state.last, now < last - Self.tolerance { state.mustRepair = true }
            state.last = now
            return state.mustRepair
        }
        guard mustRepair else { return }
        do {
            for repair in repairs { try await repair() }
            state.withLock { $0.mustRepair = false }
        } catch {
            // A full disk must not prevent the server from starting; the next look tries again.
            logger.warning("times from the future not repaired", metadata: ["error": .string(ErrorSummary.of(error))])
        }
    }
}
