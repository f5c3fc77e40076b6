import Logging
import ServiceLifecycle
import SparkCore

/// Loads the most recently active people into the cache once when the server starts, because they are the most likely to be
/// requested. The server is ready without it.
struct Warming: Service {
    /// The most people to load; they take some megabytes.
    static let limit = 2_000

    let store: any ProfilesStore
    let records: ProfileRecords
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown { await warm() }
        // A service that returns counts as ended, so this one waits for the shutdown.
        try? await gracefulShutdown()
    }

    func warm() async {
        do {
            try await records.warm(try await store.lastActive(Self.limit))
        } catch {
            // The server stops already.
            guard !Task.isCancelled else { return }
            logger.notice("warming the cache ended early", metadata: ["error": "\(type(of: error))"])
        }
    }
}
