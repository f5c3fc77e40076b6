import Logging
import ServiceLifecycle
import SparkCore
import SparkTransport
import Synchronization

/// Notices when the clock was put back, and has every module make its rows harmless that hold times from the future.
///
/// A server that ran under a clock that was ahead has noted times that do not come for long. Each kind of wait has a longest, and after
/// a repair nothing waits beyond that.
final class ClockKeeping: Service, Sendable {
    /// What clocks are put back by in normal operation.
    private static let tolerance = Duration.milliseconds(500)

    private struct State {
        var last: Timestamp?
        /// A repair is due; the first is, since nobody knows how the clock stood before the start.
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

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat { await self.look() } while (try? await Task.sleep(for: .seconds(1))) != nil
        }
    }

    /// Repairs if the clock was put back since the last time, or the last repair failed.
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
            // A full disk must not keep the server from starting; the next look tries again.
            logger.warning("times from the future not repaired", metadata: ["error": .string(ErrorSummary.of(error))])
        }
    }
}
