import ServiceLifecycle
import SparkCache

/// Sweeps the cache and reports what it did, once a second; ends it when the server ends.
struct CacheKeeping: Service {
    let cache: Cache

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var report = CacheReport()
            while (try? await Task.sleep(for: .seconds(1))) != nil {
                cache.sweep()
                report.update(cache.statistics)
            }
        }
    }
}
