public import GRDB
public import SparkCore

/// The export and the erasure of a person, over all modules, made from their manifests.
public struct PersonalDataRegistry: Sendable {
    private let tables: [TableDeclaration]

    /// - Parameter manifests: in the order of dependencies.
    public init(manifests: [ModuleManifest]) {
        self.tables = manifests.flatMap(\.tables).filter(\.isUserLinked)
    }

    /// Everything stored of a person: one member a table, each a list of rows.
    public func export(_ user: UserID, from database: Database) throws -> JSONValue {
        .object(
            try tables.compactMap { table in
                guard let export = table.export else { return nil }
                return JSONMember(table.name, .array(try export(database, user)))
            })
    }

    /// Removes a person from every table, dependents first.
    public func erase(_ user: UserID, in database: Database) throws {
        for table in tables.reversed() { try table.erase?(database, user) }
    }
}
