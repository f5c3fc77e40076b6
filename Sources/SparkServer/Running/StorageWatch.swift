import Logging
import ServiceLifecycle
import SparkStorage

/// Ends the server some seconds after the disk failed, so that whoever supervises it starts it again: what is in memory can no longer be
/// trusted, what is on the disk can, once it was read anew.
struct StorageWatch: Service {
    /// Meanwhile reads are served, and writes are refused with 503.
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
                    // A stop that was asked for meanwhile ends the server all the same.
                }
                throw failure
            }
        }
    }
}
