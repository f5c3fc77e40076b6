import Logging
import ServiceLifecycle
import SparkCore

/// Loads the people who were active last into the cache when the server starts: they are the ones who will be asked for. Beside
/// everything else, once; the server is ready without it.
struct Warming: Service {
    /// People at most: some megabytes.
    static let limit = 2_000

    let store: any ProfilesStore
    let records: ProfileRecords
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown { await warm() }
        // A service that returns has ended; this one has nothing more to do.
        try? await gracefulShutdown()
    }

    func warm() async {
        do {
            try await records.warm(try await store.lastActive(Self.limit))
        } catch {
            logger.notice("warming the cache ended early", metadata: ["error": "\(type(of: error))"])
        }
    }
}
