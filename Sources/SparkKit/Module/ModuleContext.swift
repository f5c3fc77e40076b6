public import Foundation
public import Logging
public import SparkCache
public import SparkCore
public import SparkStorage
import Synchronization

/// All that a module is given: time, chance, identity, the store, and the other modules' ports and contributions.
public struct ModuleContext: Sendable {
    public let clock: any WallClock
    public let random: any RandomSource
    public let identifiers: IdentifierGenerator
    public let storage: any Storage
    public let cache: Cache
    /// The users' streams of numbered events.
    public let stream: any EventStreaming
    public let keys: ServerKeys
    /// Who may use what is scarce.
    public let admission: Admission
    public let personalData: PersonalDataRegistry
    /// The server's data directory: a module that keeps files of its own makes a folder there that bears its identifier.
    public let directory: URL
    public let logger: Logger
    /// A server whose data goes away with it, started inside a test.
    public let isEphemeral: Bool
    /// The module this context is for.
    private let manifest: ModuleManifest
    private let exchange: ModuleExchange

    package init(
        clock: any WallClock, random: any RandomSource, identifiers: IdentifierGenerator, storage: any Storage, cache: Cache,
        stream: any EventStreaming, keys: ServerKeys, admission: Admission,
        personalData: PersonalDataRegistry, directory: URL, logger: Logger, isEphemeral: Bool, manifest: ModuleManifest,
        exchange: ModuleExchange
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
        self.manifest = manifest
        self.exchange = exchange
    }

    /// The same with another stream: for tests that look at what is told.
    package func streaming(through stream: any EventStreaming) -> ModuleContext {
        ModuleContext(
            clock: clock, random: random, identifiers: identifiers, storage: storage, cache: cache, stream: stream, keys: keys,
            admission: admission, personalData: personalData, directory: directory, logger: logger, isEphemeral: isEphemeral,
            manifest: manifest,
            exchange: exchange)
    }

    /// The answerer to a question of another module: `context.port((any ProfileReading).self)`.
    /// - Throws: `ModuleFault` when no declared dependency provides it.
    public func port<Port>(_ type: Port.Type) throws -> Port {
        guard let (provider, value) = exchange.provider(of: type) else {
            throw ModuleFault(module: manifest.id, "asks for the port \(type), which no module before it provides")
        }
        guard provider == manifest.id || manifest.dependencies.contains(provider) else {
            throw ModuleFault(module: manifest.id, "asks for a port of \(provider) without declaring the dependency")
        }
        return value
    }

    /// Declares a namespace of the cache: its type and its rules.
    /// - Throws: `ModuleFault` when there is one of that name already.
    public func namespace<Key: CacheKeyed, Value: CacheValue>(
        _ policy: NamespacePolicy, key: Key.Type = Key.self, value: Value.Type = Value.self
    ) throws -> CacheNamespace<Key, Value> {
        guard exchange.claim(namespace: policy.name, for: manifest.id) else {
            throw ModuleFault(module: manifest.id, "declares the cache namespace \(policy.name) a second time")
        }
        return cache.namespace(policy, key: key, value: value)
    }

    /// The list that this module opens to others. It is complete once the server is frozen, empty before.
    public func contributions<Element: Sendable>(_ type: Element.Type) -> Contributions<Element> {
        exchange.contributions(of: type)
    }

    /// Keyed, tamper-proof page cursors.
    public var cursors: CursorCodec { CursorCodec(key: keys.key(for: "cursors")) }
}

/// What is wrong with a module; boot reports all of these at once.
public struct ModuleFault: Error, CustomStringConvertible, Hashable {
    public let module: String
    public let reason: String

    public init(module: String, _ reason: String) {
        self.module = module
        self.reason = reason
    }

    public var description: String { "module \(module): \(reason)" }
}

/// An ordered list of contributions, in the order of the modules.
public final class Contributions<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])

    public var all: [Element] { elements.withLock { $0 } }

    fileprivate func append(_ element: Element) { elements.withLock { $0.append(element) } }
}

/// Where modules find each other's ports and contributions while the server is put together.
package final class ModuleExchange: Sendable {
    private struct State {
        var ports: [ObjectIdentifier: (provider: String, value: any Sendable)] = [:]
        var lists: [ObjectIdentifier: any Sendable] = [:]
        /// Names of cache namespaces, and whose they are.
        var namespaces: [(name: String, module: String)] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// False when somebody else provides it already.
    func provide<Port>(_ type: Port.Type, _ value: any Sendable, by module: String) -> Bool {
        state.withLock { state in
            guard state.ports[ObjectIdentifier(type)] == nil else { return false }
            state.ports[ObjectIdentifier(type)] = (module, value)
            return true
        }
    }

    /// False when the name is taken.
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
