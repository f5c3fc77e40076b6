import Crypto
import Foundation
import Logging
import SparkCache
import SparkCore
import SparkKit
import SparkStorage
import Synchronization

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

/// Sweeps the cache and reports its metrics.
final class CacheKeeping: Sendable {
    private let cache: Cache
    private let report = Mutex(CacheReport())

    init(cache: Cache) { self.cache = cache }

    /// Sweeps once a second. An expired entry is not answered, whether or not it was swept.
    var work: TimedWork {
        .sampled("server.cache", every: .seconds(1), startsAtOnce: false) {
            self.cache.sweep()
            let statistics = self.cache.statistics
            self.report.withLock { $0.update(statistics) }
        }
    }
}
