public import GRDB
public import SparkCore
public import SparkStorage

/// A part of the server that is compiled in and registered by one line in a list.
///
/// A module is known by its manifest before anything runs, is constructed without I/O, and only declares what it answers. See
/// `ModuleManifest` and `ModuleRegistrar` for what can be declared.
public protocol SparkModule: Sendable {
    /// One section of the configuration; its name is the manifest's identifier.
    associatedtype Configuration: ModuleConfiguration
    /// Pure data.
    static var manifest: ModuleManifest { get }
    /// Takes what it needs from the context. No I/O.
    init(configuration: Configuration, context: ModuleContext) throws
    /// Declares routes, subscriptions, ports, contributions, services and health checks.
    func register(in registrar: inout ModuleRegistrar)
}

/// What a module is and owns.
public struct ModuleManifest: Sendable {
    /// Lower-case letters and digits, e.g. `matching`. Prefixes its tables and events, names its configuration section.
    public let id: String
    /// One line.
    public let summary: String
    /// Identifiers of the modules whose ports, events and contributions it uses.
    public let dependencies: [String]
    public let migrations: [Migration]
    /// Every table that the migrations create.
    public let tables: [TableDeclaration]
    /// Tables and views of its dependencies that its own SQL reads.
    public let reads: [String]
    public let metrics: [MetricDeclaration]
    /// What must hold between its rows; `spark check` asks.
    public let invariants: [Invariant]

    public init(
        id: String, summary: String, dependencies: [String] = [], migrations: [Migration] = [],
        tables: [TableDeclaration] = [], reads: [String] = [], metrics: [MetricDeclaration] = [],
        invariants: [Invariant] = []
    ) {
        self.id = id
        self.summary = summary
        self.dependencies = dependencies
        self.migrations = migrations
        self.tables = tables
        self.reads = reads
        self.metrics = metrics
        self.invariants = invariants
    }
}

/// A table of a module, and how a person's rows in it are given out and destroyed.
public struct TableDeclaration: Sendable {
    /// The rows of one person, machine-readable. Nothing of other people that this person may not know.
    public typealias Exporter = @Sendable (Database, UserID) throws -> [JSONValue]
    /// Removes or makes anonymous every trace of one person.
    public typealias Eraser = @Sendable (Database, UserID) throws -> Void

    public let name: String
    /// Whether rows belong to or speak of a person; then an exporter and an eraser are demanded.
    public let isUserLinked: Bool
    public let export: Exporter?
    public let erase: Eraser?

    /// A table that knows nothing of people. A virtual table's shadow tables need no line.
    public static func plain(_ name: String) -> TableDeclaration {
        TableDeclaration(name: name, isUserLinked: false, export: nil, erase: nil)
    }

    public static func userLinked(_ name: String, export: Exporter? = nil, erase: Eraser? = nil) -> TableDeclaration {
        TableDeclaration(name: name, isUserLinked: true, export: export, erase: erase)
    }
}

/// Something that must hold between a module's rows.
public struct Invariant: Sendable {
    public let name: String
    /// Each fault in words without personal data; empty when all is well.
    public let check: @Sendable (Database) throws -> [String]

    /// Takes long: only `spark check --deep` asks.
    public let isDeep: Bool

    public init(_ name: String, isDeep: Bool = false, check: @escaping @Sendable (Database) throws -> [String]) {
        self.name = name
        self.isDeep = isDeep
        self.check = check
    }
}
