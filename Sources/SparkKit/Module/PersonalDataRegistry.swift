public import SparkCore
public import SparkStorage

/// Exports and erases a person's data across all modules, as their manifests declare.
public struct PersonalDataRegistry: Sendable {
    /// The number of rows that one call of a step eraser removes.
    private static let rowsAtOnce = 32

    private let tables: [TableDeclaration]
    private let exported: [TableDeclaration]

    /// - Parameter manifests: The modules' manifests, dependencies first.
    public init(manifests: [ModuleManifest]) {
        self.tables = manifests.flatMap(\.tables).filter(\.isUserLinked)
        self.exported = tables.filter { $0.export != nil || $0.exportPage != nil }
    }

    /// All stored data of a person: an object with one member for each table, each a list of rows. Holds everything in memory,
    /// so only tests and tools use it.
    public func export(_ user: UserID, from session: SQLSession) throws -> JSONValue {
        var position = ExportPosition()
        var text = Array("{".utf8)
        while let piece = try exportPiece(of: user, at: &position, from: session, maximumBytes: 1 << 20) {
            // Every table begins with a comma, also the first one.
            text += text.count == 1 ? piece.dropFirst() : piece[...]
        }
        return try JSONParser.parse(text + "}".utf8)
    }

    /// The next part of an export as JSON text: members of an object, one for each table, each a list of rows. Every member
    /// begins with a comma, also the first one.
    ///
    /// Each part may come from a different snapshot. A row that does not change during the export appears exactly once. A row
    /// that is added, changed or removed meanwhile may be missing.
    /// - Parameters:
    ///   - position: The start of this part; afterwards the start of the next part.
    ///   - maximumBytes: The row that reaches this size ends the part. A table without pages is exported whole.
    /// - Returns: Nil after the last part.
    /// - Throws: Errors of the modules' exporters.
    public func exportPiece(
        of user: UserID, at position: inout ExportPosition, from session: SQLSession, maximumBytes: Int
    ) throws -> [UInt8]? {
        guard position.table < exported.count else { return nil }
        var piece: [UInt8] = []
        while position.table < exported.count, piece.count < maximumBytes {
            let table = exported[position.table]
            if !position.hasBegun {
                piece += Array(",".utf8) + JSONWriter.bytes(of: JSONValue.string(table.name)) + Array(":[".utf8)
                position.enter()
            }
            var page = ExportPage(after: position.after, maximumBytes: maximumBytes - piece.count)
            if let exportPage = table.exportPage {
                try exportPage(session, user, &page)
            } else if let export = table.export {
                page.fill(try export(session, user))
            }
            if !page.bytes.isEmpty {
                if position.hasRows { piece.append(UInt8(ascii: ",")) }
                piece += page.bytes
                position.tookRows()
            }
            if page.isFull {
                position.go(after: page.last)
                // A page may be full of skipped rows. Return so that the reader's transaction stays short.
                return piece
            }
            piece.append(UInt8(ascii: "]"))
            position.leave()
        }
        return piece
    }

    /// Removes rows of a person from the tables with step erasers, dependent tables first, until the time is up.
    /// - Returns: True if there may be more rows. If false, `erase` removes the rest in one transaction.
    public func eraseStep(_ user: UserID, in session: SQLSession, isTimeUp: () -> Bool) throws -> Bool {
        for table in tables.reversed() {
            guard let step = table.eraseStep else { continue }
            while try step(session, user, Self.rowsAtOnce) {
                if isTimeUp() { return true }
            }
        }
        return false
    }

    /// Removes a person from every table, dependent tables first.
    public func erase(_ user: UserID, in session: SQLSession) throws {
        for table in tables.reversed() { try table.erase?(session, user) }
    }
}
