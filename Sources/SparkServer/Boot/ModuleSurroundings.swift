import Foundation
import SparkCache
import SparkCore
import SparkKit
import SparkStorage
import SparkStream

/// What all modules of a server share. The only place where a module's context is made.
struct ModuleSurroundings: Sendable {
    let options: Server.Options
    let storage: SQLiteStorage
    let keys: ServerKeys
    let cache: Cache
    let hub: Hub
    let admission: Admission
    private let personalData: PersonalDataRegistry
    private let directory: DataDirectory
    private let identifiers: IdentifierGenerator

    /// - Parameters:
    ///   - personalData: the tables that modules export and erase.
    ///   - directory: the directory for the modules' own files.
    init(
        options: Server.Options, storage: SQLiteStorage, keys: ServerKeys, cache: Cache, admission: Admission,
        personalData: PersonalDataRegistry, directory: DataDirectory
    ) {
        self.options = options
        self.storage = storage
        self.keys = keys
        self.cache = cache
        self.hub = Hub(storage: storage, clock: options.clock, admission: admission)
        self.admission = admission
        self.personalData = personalData
        self.directory = directory
        self.identifiers = IdentifierGenerator(clock: options.clock, random: options.random)
    }

    /// The context of one module.
    /// - Parameter exchange: the ports and contributions of the modules before it.
    func context(of manifest: ModuleManifest, _ exchange: ModuleExchange) -> ModuleContext {
        ModuleContext(
            clock: options.clock, random: options.random, identifiers: identifiers, storage: storage, cache: cache, stream: hub,
            keys: keys, admission: admission, personalData: personalData, directory: directory.url, logger: options.logger,
            isEphemeral: options.isEphemeral, manifest: manifest, exchange: exchange)
    }
}
