/// One step forward of a module's tables. Never changed once released; steps run in the order listed, modules in the order of
/// their dependencies, each step in a transaction of its own.
public struct Migration: Sendable {
    /// `module.NNN_what`; the module's identifier stands in front.
    public let id: String
    let run: @Sendable (SQLSession) throws -> Void

    /// A step that is plain SQL.
    public init(_ id: String, sql: String) {
        self.id = id
        self.run = { try $0.script(sql) }
    }

    public init(_ id: String, run: @escaping @Sendable (SQLSession) throws -> Void) {
        self.id = id
        self.run = run
    }

    /// The module that owns the step.
    public var module: String { String(id.prefix { $0 != "." }) }
}

/// What is being done to an older database.
public enum MigrationProgress: Hashable, Sendable {
    /// A copy is kept before anything changes.
    case copying
    /// A step runs, the how manieth of those that were missing.
    case step(_ id: String, number: Int, of: Int)
}
