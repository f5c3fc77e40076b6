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
///
/// `export` and `erase` suffice where a person has few rows by nature. A table that grows with use declares `exportPage` instead of
/// `export`, so that no export holds more than a page in memory, and `eraseStep` beside `erase`, so that no erasure holds the writer for
/// long.
public struct TableDeclaration: Sendable {
    /// The rows of one person, machine-readable. Nothing of other people that this person may not know.
    public typealias Exporter = @Sendable (SQLSession, UserID) throws -> [JSONValue]
    /// The same a page at a time: appends the rows that follow `page.after`, in the order of a unique key, until the page is full.
    public typealias PageExporter = @Sendable (SQLSession, UserID, _ page: inout ExportPage) throws -> Void
    /// Removes or makes anonymous every trace of one person.
    public typealias Eraser = @Sendable (SQLSession, UserID) throws -> Void
    /// Removes about `limit` rows of one person ahead of the eraser, leaving the module's invariants intact. Further steps follow in
    /// transactions of their own; the person's account is closed meanwhile.
    /// - Returns: whether there may be more. True only if it removed something.
    public typealias StepEraser = @Sendable (SQLSession, UserID, _ limit: Int) throws -> Bool

    public let name: String
    /// Whether rows belong to or speak of a person; then an exporter and an eraser are demanded.
    public let isUserLinked: Bool
    public let export: Exporter?
    public let exportPage: PageExporter?
    public let eraseStep: StepEraser?
    public let erase: Eraser?

    /// A table that knows nothing of people. A virtual table's shadow tables need no line.
    public static func plain(_ name: String) -> TableDeclaration {
        TableDeclaration(name: name, isUserLinked: false, export: nil, exportPage: nil, eraseStep: nil, erase: nil)
    }

    public static func userLinked(
        _ name: String, export: Exporter? = nil, exportPage: PageExporter? = nil, eraseStep: StepEraser? = nil,
        erase: Eraser? = nil
    ) -> TableDeclaration {
        TableDeclaration(
            name: name, isUserLinked: true, export: export, exportPage: exportPage, eraseStep: eraseStep, erase: erase)
    }

    /// A step that runs one statement: it removes at most `?2` rows of the person `?1`.
    public static func step(_ sql: String) -> StepEraser {
        { session, user, limit in
            let changed = try session.run(sql, user.rawValue, limit)
            return changed >= limit
        }
    }
}

/// Something that must hold between a module's rows.
public struct Invariant: Sendable {
    public let name: String
    /// Each fault in words without personal data; empty when all is well.
    public let check: @Sendable (SQLSession) throws -> [String]

    /// Takes long: only `spark check --deep` asks.
    public let isDeep: Bool

    public init(_ name: String, isDeep: Bool = false, check: @escaping @Sendable (SQLSession) throws -> [String]) {
        self.name = name
        self.isDeep = isDeep
        self.check = check
    }
}
