public import SparkCore
public import SparkStorage

/// A compiled-in part of the server, registered by one line in a list of modules.
///
/// The server reads the manifest first, then creates the module without I/O, then calls `register(in:)`. `ModuleManifest` and
/// `ModuleRegistrar` list everything that a module can declare.
public protocol SparkModule: Sendable {
    /// The module's section of the configuration, named after the manifest's identifier.
    associatedtype Configuration: ModuleConfiguration
    /// What the module is and owns: constant data.
    static var manifest: ModuleManifest { get }
    /// Creates the module with the ports and values that it takes from the context. Must do no I/O.
    /// - Throws: `ModuleFault` if a port is missing or a declaration is wrong.
    init(configuration: Configuration, context: ModuleContext) throws
    /// Declares routes, frames, subscriptions, ports, contributions, services and health checks.
    func register(in registrar: inout ModuleRegistrar)
}

/// The identity of a module and everything that it owns in the database.
public struct ModuleManifest: Sendable {
    /// Lower-case letters and digits, for example `matching`. It prefixes the module's tables and events, and names its
    /// configuration section.
    public let id: String
    /// One line for lists of modules.
    public let summary: String
    /// The identifiers of the modules whose ports, events and contributions this module uses.
    public let dependencies: [String]
    /// The module's schema changes, oldest first. Never edit one that was released.
    public let migrations: [Migration]
    /// Every table that the migrations create.
    public let tables: [TableDeclaration]
    /// The tables and views of dependencies that this module's own SQL reads.
    public let reads: [String]
    /// Every metric that the module records.
    public let metrics: [MetricDeclaration]
    /// The rules between the module's rows that `spark check` verifies.
    public let invariants: [Invariant]
    /// Whether the module is left out of every server but those that a test starts and steers. Such a module has no tables.
    package let isForFixtures: Bool

    /// Declares a module. Lists that are left out are empty.
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
        self.isForFixtures = false
    }

    /// Declares a module of servers that a test steers.
    package init(fixture id: String, summary: String) {
        self.id = id
        self.summary = summary
        self.dependencies = []
        self.migrations = []
        self.tables = []
        self.reads = []
        self.metrics = []
        self.invariants = []
        self.isForFixtures = true
    }
}

/// A table of a module, and how the server exports and erases a person's rows in it.
///
/// Use `export` and `erase` for a table with few rows for each person. For a table that grows with use, declare `exportPage`
/// instead of `export`, so that an export holds only one page in memory, and `eraseStep` in addition to `erase`, so that an
/// erasure never blocks the writer for long.
public struct TableDeclaration: Sendable {
    /// Returns a person's rows as JSON values, without data about other people that this person may not see.
    public typealias Exporter = @Sendable (SQLSession, UserID) throws -> [JSONValue]
    /// Exports one page: appends the rows after `page.after`, in the order of a unique key, until the page is full.
    public typealias PageExporter = @Sendable (SQLSession, UserID, _ page: inout ExportPage) throws -> Void
    /// Removes or anonymizes every trace of a person.
    public typealias Eraser = @Sendable (SQLSession, UserID) throws -> Void
    /// Removes about `limit` rows of a person before the eraser runs, and keeps the module's invariants. Each step has its own
    /// transaction; the person's account is already closed.
    /// - Returns: True if there may be more rows. Return true only if the step removed a row.
    public typealias StepEraser = @Sendable (SQLSession, UserID, _ limit: Int) throws -> Bool

    /// The table's name in the database.
    public let name: String
    /// True if rows belong to a person or contain data about one. Such a table needs an exporter and an eraser.
    public let isUserLinked: Bool
    /// Exports the rows at once; nil if the table has `exportPage` or holds no personal data.
    public let export: Exporter?
    /// Exports the rows in pages.
    public let exportPage: PageExporter?
    /// Removes a bounded number of rows before `erase`.
    public let eraseStep: StepEraser?
    /// Removes the rest of a person's rows.
    public let erase: Eraser?
    /// True if rows are what is to be sent to others, or where to send it. A copy of the database that only answers has none of them.
    public private(set) var isOutgoing = false

    /// The same table, as one from which things are sent.
    public func outgoing() -> TableDeclaration {
        var copy = self
        copy.isOutgoing = true
        return copy
    }

    /// A table without personal data. The shadow tables of a virtual table need no declaration.
    public static func plain(_ name: String) -> TableDeclaration {
        TableDeclaration(name: name, isUserLinked: false, export: nil, exportPage: nil, eraseStep: nil, erase: nil)
    }

    /// A table with personal data. Boot reports a fault if neither `export` nor `exportPage` is given, or if `erase` is
    /// missing.
    public static func userLinked(
        _ name: String, export: Exporter? = nil, exportPage: PageExporter? = nil, eraseStep: StepEraser? = nil,
        erase: Eraser? = nil
    ) -> TableDeclaration {
        TableDeclaration(
            name: name, isUserLinked: true, export: export, exportPage: exportPage, eraseStep: eraseStep, erase: erase)
    }

    /// A step that runs one statement, which removes at most `?2` rows of the person `?1`.
    public static func step(_ sql: String) -> StepEraser {
        { session, user, limit in
            let changed = try session.run(sql, user.rawValue, limit)
            return changed >= limit
        }
    }

    /// An eraser that runs one statement.
    /// - Parameter sql: `?1` is the person.
    public static func erasing(_ sql: String) -> Eraser {
        { session, user in try session.run(sql, user.rawValue) }
    }
}

/// A rule that always holds between a module's rows.
public struct Invariant: Sendable {
    /// A short name for the report of `spark check`.
    public let name: String
    /// Describes each violation, without personal data. Empty if the rule holds.
    public let check: @Sendable (SQLSession) throws -> [String]

    /// True for slow rules, which only `spark check --deep` verifies.
    public let isDeep: Bool

    /// Declares a rule.
    public init(_ name: String, isDeep: Bool = false, check: @escaping @Sendable (SQLSession) throws -> [String]) {
        self.name = name
        self.isDeep = isDeep
        self.check = check
    }
}
