import Logging
import SparkCore
import SparkKit
import SparkStorage
import Synchronization

/// Removes old backups that were made before migrations, at the start and once a day.
final class CopyKeeping: Sendable {
    let directory: DataDirectory
    let age: Duration
    let clock: any WallClock
    let logger: Logger
    private let hasSwept = Atomic(false)

    init(directory: DataDirectory, age: Duration, clock: any WallClock, logger: Logger) {
        (self.directory, self.age, self.clock, self.logger) = (directory, age, clock, logger)
    }

    /// Sweeps at the start and once a day.
    var work: TimedWork {
        .sampled("server.copies", every: .hours(24)) {
            self.sweep(isOwner: !self.hasSwept.exchange(true, ordering: .relaxed) && self.directory.isOwner)
        }
    }

    func sweep(isOwner: Bool) {
        do {
            let count = try MigrationCopies.sweep(directory.backups, olderThan: age, now: clock.now(), isOwner: isOwner)
            if count > 0 { logger.info("old copies of the database removed", metadata: ["count": .stringConvertible(count)]) }
        } catch {
            logger.warning("an old copy of the database could not be removed", metadata: ["error": "\(error)"])
        }
    }
}
