public import SparkCore
public import SparkStorage

/// The export and the erasure of a person, over all modules, made from their manifests.
public struct PersonalDataRegistry: Sendable {
    /// Rows that one call of a step eraser removes.
    static let rowsAtOnce = 32

    private let tables: [TableDeclaration]
    private let exported: [TableDeclaration]

    /// - Parameter manifests: in the order of dependencies.
    public init(manifests: [ModuleManifest]) {
        self.tables = manifests.flatMap(\.tables).filter(\.isUserLinked)
        self.exported = tables.filter { $0.export != nil || $0.exportPage != nil }
    }

    /// Everything stored of a person: one member a table, each a list of rows. Holds all of it in memory; for tests and tools.
    public func export(_ user: UserID, from session: SQLSession) throws -> JSONValue {
        var position = ExportPosition()
        var text = Array("{".utf8)
        while let piece = try exportPiece(of: user, at: &position, from: session, maximumBytes: 1 << 20) {
            // Every piece that begins a table begins with a comma; the first one follows nothing.
            text += text.count == 1 ? piece.dropFirst() : piece[...]
        }
        return try JSONParser.parse(text + "}".utf8)
    }

    /// The next part of an export as JSON text: members of an object, one a table, each a list of rows. The first member is
    /// preceded by a comma, too.
    ///
    /// Each part may come of another snapshot. A row that stays as it is comes exactly once; one that is added, changed or
    /// removed meanwhile may or may not be there.
    /// - Parameters:
    ///   - position: where it begins; afterwards, where the next one does.
    ///   - maximumBytes: the row that reaches this is the last; a table without pages comes whole.
    /// - Returns: nil after the last part.
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
                // A page may be full of rows that were passed over; then the reader's transaction has lasted long enough.
                return piece
            }
            piece.append(UInt8(ascii: "]"))
            position.leave()
        }
        return piece
    }

    /// Removes rows of a person from the tables that may have very many, dependents first, until time is up.
    /// - Returns: whether there may be more; if not, `erase` takes what is left in one go.
    public func eraseStep(_ user: UserID, in session: SQLSession, isTimeUp: () -> Bool) throws -> Bool {
        for table in tables.reversed() {
            guard let step = table.eraseStep else { continue }
            while try step(session, user, Self.rowsAtOnce) {
                if isTimeUp() { return true }
            }
        }
        return false
    }

    /// Removes a person from every table, dependents first.
    public func erase(_ user: UserID, in session: SQLSession) throws {
        for table in tables.reversed() { try table.erase?(session, user) }
    }
}
