import Logging
import ServiceLifecycle
import SparkCore
import SparkStorage

/// Removes old backups that were made before migrations, at the start and once a day.
struct CopyKeeping: Service {
    let directory: DataDirectory
    let age: Duration
    let clock: any WallClock
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            sweep(isOwner: directory.isOwner)
            while (try? await Task.sleep(for: .hours(24))) != nil { sweep(isOwner: false) }
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
