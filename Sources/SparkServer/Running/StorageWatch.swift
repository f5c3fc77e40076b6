import Logging
import ServiceLifecycle
import SparkStorage

/// Ends the server some seconds after a disk failure, so that its supervisor restarts it: memory can no longer be trusted, but
/// the data on the disk can be, after it is read again.
struct StorageWatch: Service {
    /// Until then reads are served, and writes are refused with 503.
    static let grace = Duration.seconds(10)

    let failures: AsyncStream<StorageFailure>
    let logger: Logger
    var grace = StorageWatch.grace

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            for await failure in failures {
                do {
                    try await Task.sleep(for: grace)
                } catch {
                    // A stop that was requested in the meantime ends the server as well.
                }
                throw failure
            }
        }
    }
}
