/// One forward step of a module's schema. Never change a released step. Steps run in the order listed, modules in the order of
/// their dependencies, all missing ones in one transaction.
public struct Migration: Sendable {
    /// `module.NNN_what`: begins with the module's identifier.
    public let id: String
    let run: @Sendable (SQLSession) throws -> Void

    /// A step that consists of SQL statements.
    public init(_ id: String, sql: String) {
        self.id = id
        self.run = { try $0.script(sql) }
    }

    /// A step that runs code. An error rolls all missing steps back and refuses the start.
    public init(_ id: String, run: @escaping @Sendable (SQLSession) throws -> Void) {
        self.id = id
        self.run = run
    }

    /// The identifier of the module that owns the step.
    public var module: String { String(id.prefix { $0 != "." }) }
}

/// The progress of the migration of an older database.
public enum MigrationProgress: Hashable, Sendable {
    /// A copy of the database is made before anything changes.
    case copying
    /// A step runs. `number` counts from 1 among the missing steps.
    case step(_ id: String, number: Int, of: Int)
}
