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
    /// Where a test looks into the server and steers it; nil in every server that is not for tests.
    let fixture: FixtureHooks?
    private let identifiers: IdentifierGenerator
    private let personalData: PersonalDataRegistry
    private let directory: DataDirectory
    private let clockControl: (any ClockControl)?

    /// - Parameters:
    ///   - clockControl: moves the clock; nil for a server that follows real time.
    ///   - personalData: the tables that modules export and erase.
    ///   - directory: the directory for the modules' own files.
    ///   - fixture: where a test looks in; nil in ordinary servers.
    init(
        options: Server.Options, clockControl: (any ClockControl)?, storage: SQLiteStorage, keys: ServerKeys, cache: Cache,
        admission: Admission, personalData: PersonalDataRegistry, directory: DataDirectory, fixture: FixtureHooks? = nil
    ) {
        self.options = options
        self.clockControl = clockControl
        self.storage = storage
        self.keys = keys
        self.cache = cache
        self.hub = Hub(storage: storage, clock: options.clock, admission: admission, fixture: fixture)
        self.admission = admission
        self.fixture = fixture
        self.personalData = personalData
        self.directory = directory
        self.identifiers = IdentifierGenerator(clock: options.clock, random: options.random)
        fixture?.attach(identifiers)
    }

    /// The context of one module.
    /// - Parameter exchange: the ports and contributions of the modules before it.
    func context(of manifest: ModuleManifest, _ exchange: ModuleExchange) -> ModuleContext {
        ModuleContext(
            clock: options.clock, random: fixture?.random.branch(manifest.id) ?? options.random, identifiers: identifiers,
            storage: storage, cache: cache, stream: hub,
            keys: keys, admission: admission, personalData: personalData, directory: directory.url, logger: options.logger,
            isEphemeral: options.isEphemeral, fixture: fixture, clockControl: clockControl, manifest: manifest,
            exchange: exchange)
    }
}
