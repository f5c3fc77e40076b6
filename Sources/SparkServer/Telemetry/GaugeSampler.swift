import Dispatch
import Logging
import ServiceLifecycle
import SparkHTTP

/// Samples every few seconds the gauges that no code records when they change: process, disk, database, outbox, event loops. Runs
/// on a dedicated thread, because it reads the disk.
struct GaugeSampler: Service {
    private static let interval = Duration.seconds(5)

    let database: DatabaseGauges
    let outbox: OutboxGauges
    let directory: DiskGauges
    let logger: Logger
    private let process = ProcessReadings()
    private let thread = DispatchQueue(label: "spark.readings", qos: .utility)

    init(database: DatabaseGauges, outbox: OutboxGauges, directory: DiskGauges, logger: Logger) {
        self.database = database
        self.outbox = outbox
        self.directory = directory
        self.logger = logger
    }

    func run() async throws {
        let lag = LoopLag()
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await withCheckedContinuation { continuation in
                    thread.async {
                        record(lag)
                        continuation.resume()
                    }
                }
                try? await Task.sleep(for: Self.interval)
            }
        }
        lag.stop()
    }

    private func record(_ lag: LoopLag) {
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
