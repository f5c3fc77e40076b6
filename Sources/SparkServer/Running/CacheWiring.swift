import Crypto
import Foundation
import Logging
import ServiceLifecycle
import SparkCache
import SparkCore
import SparkKit
import SparkStorage

extension Cache {
    /// The cache of a server. It spills into the data directory, sealed with the server's key if the spill outlives the server.
    convenience init(_ settings: CacheSettings, options: Server.Options, keys: ServerKeys) {
        var configuration = CacheConfiguration(memoryBytes: settings.memoryBytes)
        if settings.diskBytes > 0, options.directory.isOwner {
            let isWarm = settings.isWarm && !options.isEphemeral
            configuration.spill = CacheConfiguration.SpillSettings(
                directory: options.directory.spill, bytes: settings.diskBytes,
                key: isWarm ? keys.key(for: "spill") : SymmetricKey(size: .bits256), isWarm: isWarm,
                fingerprint: SparkVersion.text)
        }
        self.init(configuration, clock: options.clock, random: options.random, logger: options.logger)
    }
}

/// Sweeps the cache and reports its metrics once a second. Closes the cache when the server ends.
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
