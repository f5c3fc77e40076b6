import Foundation
import Logging
import SparkCache
import SparkCore
import SparkKit
import SparkStorage
import SparkStream

/// Lets modules register on a throw-away store although their manifests have faults, so that clashes between routes and the like
/// are reported together with those faults.
enum DryRun {
    static func faults(of plan: ModulePlan, options: Server.Options) throws -> [ModuleFault] {
        let directory = try DataDirectory(temporaryIn: FileManager.default.temporaryDirectory)
        defer { directory.release() }
        let storage = try SQLiteStorage(
            StorageConfiguration(file: directory.database, backupDirectory: nil), migrations: [], clock: options.clock)
        let keys = try directory.keys(mayMake: true)
        let cache = Cache(
            CacheConfiguration(memoryBytes: 1 << 20), clock: options.clock, random: options.random, logger: options.logger)
        let identifiers = IdentifierGenerator(clock: options.clock, random: options.random)
        let admission = Admission(limits: .standard, clock: options.clock)
        let registration = ModuleRegistrations(
            plan: plan, configuration: options.configuration,
            context: { manifest, exchange in
                ModuleContext(
                    clock: options.clock, random: options.random, identifiers: identifiers, storage: storage, cache: cache,
                    stream: Hub(storage: storage, clock: options.clock, admission: admission), keys: keys, admission: admission,
                    personalData: PersonalDataRegistry(manifests: []), directory: directory.url, logger: options.logger,
                    isEphemeral: options.isEphemeral, manifest: manifest, exchange: exchange)
            }, exchange: ModuleExchange())
        // A module in a broken order misses ports for that reason, so these faults repeat the first ones.
        return registration.faults.filter { !$0.reason.hasPrefix("asks for") }
    }
}
