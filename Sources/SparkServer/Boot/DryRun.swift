import Foundation
import Logging
import SparkCache
import SparkKit
import SparkStorage

/// Lets modules register on a throw-away store although their manifests have faults, so that clashes between routes and the like
/// are reported together with those faults.
enum DryRun {
    static func faults(of plan: ModulePlan, options: Server.Options) throws -> [ModuleFault] {
        let directory = try DataDirectory(temporaryIn: FileManager.default.temporaryDirectory)
        defer { directory.release() }
        let surroundings = ModuleSurroundings(
            options: options, clockControl: nil,
            storage: try SQLiteStorage(
                StorageConfiguration(file: directory.database, backupDirectory: nil), migrations: [], clock: options.clock),
            keys: try directory.keys(mayMake: true),
            cache: Cache(
                CacheConfiguration(memoryBytes: 1 << 20), clock: options.clock, random: options.random, logger: options.logger),
            admission: Admission(limits: .standard, clock: options.clock), personalData: PersonalDataRegistry(manifests: []),
            directory: directory)
        let registrations = ModuleRegistrations(plan: plan, surroundings, ModuleExchange())
        // A module in a broken order misses ports for that reason, so these faults repeat the first ones.
        return registrations.faults.filter { !$0.reason.hasPrefix("asks for") }
    }
}
