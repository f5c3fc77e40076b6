import Dispatch
import Logging
import SparkHTTP
import SparkKit
import Synchronization

/// Samples every few seconds the gauges that no code records when they change: process, disk, database, outbox, event loops. Runs
/// on a dedicated thread, because it reads the disk.
final class GaugeSampler: Sendable {
    private static let interval = Duration.seconds(5)

    let database: DatabaseGauges
    let outbox: OutboxGauges
    let directory: DiskGauges
    let logger: Logger
    private let process = ProcessReadings()
    private let thread = DispatchQueue(label: "spark.readings", qos: .utility)
    /// Measures from the first sample on.
    private let lag = Mutex<LoopLag?>(nil)

    init(database: DatabaseGauges, outbox: OutboxGauges, directory: DiskGauges, logger: Logger) {
        self.database = database
        self.outbox = outbox
        self.directory = directory
        self.logger = logger
    }

    /// Samples every five seconds.
    var work: TimedWork {
        .sampled("server.gauges", every: Self.interval) {
            await withCheckedContinuation { continuation in
                self.thread.async {
                    self.record()
                    continuation.resume()
                }
            }
        }.finishing { self.lag.withLock { $0?.stop() } }
    }

    private func record() {
        let lag = lag.withLock { lag in
            let measuring = lag ?? LoopLag()
            lag = measuring
            return measuring
        }
        lag.record()
        process.record()
        directory.record()
        database.record()
        do {
            try outbox.record()
        } catch {
            logger.notice("outbox not counted", metadata: ["error": .string(ErrorSummary.of(error))])
        }
    }
}
