public import Foundation
public import Logging
public import SparkCache
public import SparkCore
public import SparkStorage
import Synchronization

/// Everything that the server gives to a module: clock, randomness, identifiers, storage, cache, and the ports and
/// contributions of other modules.
public struct ModuleContext: Sendable {
    /// The current time. Modules read no other clock.
    public let clock: any WallClock
    /// Random numbers; seeded in tests.
    public let random: any RandomSource
    /// Makes new identifiers, ordered by time.
    public let identifiers: IdentifierGenerator
    /// The database: reads, and transactions of the single writer.
    public let storage: any Storage
    /// The server's cache. Declare a part of it with `namespace(_:key:value:)`.
    public let cache: Cache
    /// The users' streams of numbered events.
    public let stream: any EventStreaming
    /// Derives a key for each purpose from the server's secret.
    public let keys: ServerKeys
    /// Limits the use of scarce resources, for each person, each network and the whole server.
    public let admission: Admission
    /// The tables with personal data that the modules declared, for export and erasure.
    public let personalData: PersonalDataRegistry
    /// The server's data directory. A module that keeps its own files puts them into a folder named after its identifier.
    public let directory: URL
    /// The module's logger. Texts, coordinates and tokens never enter it.
    public let logger: Logger
    /// True for a server that a test starts and whose data is deleted when it stops.
    public let isEphemeral: Bool
    /// Where a test looks into the server and steers it; nil in every server that is not for tests.
    package let fixture: FixtureHooks?
    /// Moves the clock of an ephemeral server; nil in every other server.
    public let clockControl: (any ClockControl)?
    /// The manifest of the module that owns this context.
    private let manifest: ModuleManifest
    private let exchange: ModuleExchange

    package init(
        clock: any WallClock, random: any RandomSource, identifiers: IdentifierGenerator, storage: any Storage, cache: Cache,
        stream: any EventStreaming, keys: ServerKeys, admission: Admission,
        personalData: PersonalDataRegistry, directory: URL, logger: Logger, isEphemeral: Bool, fixture: FixtureHooks?,
        clockControl: (any ClockControl)?, manifest: ModuleManifest, exchange: ModuleExchange
    ) {
        self.clock = clock
        self.random = random
        self.identifiers = identifiers
        self.storage = storage
        self.cache = cache
        self.stream = stream
        self.keys = keys
        self.admission = admission
        self.personalData = personalData
        self.directory = directory
        self.logger = logger
        self.isEphemeral = isEphemeral
        self.fixture = fixture
        self.clockControl = clockControl
        self.manifest = manifest
        self.exchange = exchange
    }

    /// A copy with another stream, for tests that inspect the events.
    package func streaming(through stream: any EventStreaming) -> ModuleContext {
        ModuleContext(
            clock: clock, random: random, identifiers: identifiers, storage: storage, cache: cache, stream: stream, keys: keys,
            admission: admission, personalData: personalData, directory: directory, logger: logger, isEphemeral: isEphemeral,
            fixture: fixture, clockControl: clockControl, manifest: manifest, exchange: exchange)
    }

    /// The implementation of another module's port: `context.port((any ProfileReading).self)`.
    /// - Throws: `ModuleFault` if no module provides the port, or if the provider is not among the declared dependencies.
    public func port<Port>(_ type: Port.Type) throws -> Port {
        guard let (provider, value) = exchange.provider(of: type) else {
            throw ModuleFault(module: manifest.id, "asks for the port \(type), which no module before it provides")
        }
        guard provider == manifest.id || manifest.dependencies.contains(provider) else {
            throw ModuleFault(module: manifest.id, "asks for a port of \(provider) without declaring the dependency")
        }
        return value
    }

    /// Declares a namespace of the cache, with its types and rules.
    /// - Throws: `ModuleFault` if a module already declared a namespace of that name.
    public func namespace<Key: CacheKeyed, Value: CacheValue>(
        _ policy: NamespacePolicy, key: Key.Type = Key.self, value: Value.Type = Value.self
    ) throws -> CacheNamespace<Key, Value> {
        guard exchange.claim(namespace: policy.name, for: manifest.id) else {
            throw ModuleFault(module: manifest.id, "declares the cache namespace \(policy.name) a second time")
        }
        return cache.namespace(policy, key: key, value: value)
    }

    /// The contributions of other modules to a list that this module opens. Empty until the server has registered all modules.
    public func contributions<Element: Sendable>(_ type: Element.Type) -> Contributions<Element> {
        exchange.contributions(of: type)
    }

    /// Signs page cursors, so that clients cannot change them.
    public var cursors: CursorCodec { CursorCodec(key: keys.key(for: "cursors")) }
}

/// A mistake in a module's declarations. Boot reports all mistakes at once.
public struct ModuleFault: Error, CustomStringConvertible, Hashable {
    /// The identifier of the module at fault.
    public let module: String
    /// The mistake, worded to follow the module's name.
    public let reason: String

    /// Creates a fault.
    public init(module: String, _ reason: String) {
        self.module = module
        self.reason = reason
    }

    /// `module <id>: <reason>`.
    public var description: String { "module \(module): \(reason)" }
}

/// A list of contributions, in the order of the modules.
public final class Contributions<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])

    /// All contributions so far. Takes a lock; does not suspend.
    public var all: [Element] { elements.withLock { $0 } }

    fileprivate func append(_ element: Element) { elements.withLock { $0.append(element) } }
}

/// Matches ports and contributions between modules while the server starts.
package final class ModuleExchange: Sendable {
    private struct State {
        var ports: [ObjectIdentifier: (provider: String, value: any Sendable)] = [:]
        var lists: [ObjectIdentifier: any Sendable] = [:]
        /// The names of cache namespaces, each with the module that declared it.
        var namespaces: [(name: String, module: String)] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Returns false if another module already provides the port.
    func provide<Port>(_ type: Port.Type, _ value: any Sendable, by module: String) -> Bool {
        state.withLock { state in
            guard state.ports[ObjectIdentifier(type)] == nil else { return false }
            state.ports[ObjectIdentifier(type)] = (module, value)
            return true
        }
    }

    /// Returns false if the name is taken.
    func claim(namespace: String, for module: String) -> Bool {
        state.withLock { state in
            guard !state.namespaces.contains(where: { $0.name == namespace }) else { return false }
            state.namespaces.append((namespace, module))
            return true
        }
    }

    package func namespaces(of module: String) -> [String] {
        state.withLock { $0.namespaces.filter { $0.module == module }.map(\.name) }
    }

    package func provider<Port>(of type: Port.Type) -> (provider: String, value: Port)? {
        let found = state.withLock { $0.ports[ObjectIdentifier(type)] }
        guard let found, let value = found.value as? Port else { return nil }
        return (found.provider, value)
    }

    package func contributions<Element: Sendable>(of type: Element.Type) -> Contributions<Element> {
        state.withLock { state in
            if let list = state.lists[ObjectIdentifier(type)] as? Contributions<Element> { return list }
            let list = Contributions<Element>()
            state.lists[ObjectIdentifier(type)] = list
            return list
        }
    }

    func contribute<Element: Sendable>(_ type: Element.Type, _ element: Element) {
        contributions(of: type).append(element)
    }
}
