import GRDB

/// Finds the affected tables and indexes of a damaged database, and what is lost of them.
enum DamageReport {
    private static let messages = 3

    /// Checks table by table, so that damage in one table does not hide damage in others. Reads the whole database, parts of it
    /// several times.
    static func faults(in session: SQLSession) -> [String] {
        let tables: [(name: String, hasRowID: Bool)]
        do {
            // Virtual tables store nothing themselves; their shadow tables are in the list.
            tables = try session.rows(
                "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'shadow') ORDER BY name"
            ) { ($0[0], !$0.flag(1)) }
        } catch {
            return [
                "the list of tables, at the beginning of the file, cannot be read: without it no table can be found. \(StorageOpenError.repair)"
            ]
        }
        return tables.flatMap { faults(of: $0.name, hasRowID: $0.hasRowID, in: session) }
    }

    private static func faults(of table: String, hasRowID: Bool, in session: SQLSession) -> [String] {
        guard let found = integrity(of: table, in: session), !found.isEmpty else { return [] }
        let name = table.quotedDatabaseIdentifier
        var faults: [String] = []
        if isReadable("SELECT COUNT(*) FROM \(name) NOT INDEXED", in: session), !hasLostContent(name, in: session) {
            // The rows are intact, so an index is damaged, or rows and index disagree.
        } else {
            faults.append("table \(table): damaged; \(loss(of: name, hasRowID: hasRowID, in: session))")
        }
        let indexes = (try? session.values("SELECT name FROM pragma_index_list(?)", table, as: String.self)) ?? []
        for index in indexes {
            let quoted = index.quotedDatabaseIdentifier
            let isNamed = found.contains { $0.contains(index) }
            // Counting one of its columns makes SQLite walk the index itself. An index on expressions only has no column to
            // count.
            let column = try? session.value(
                "SELECT name FROM pragma_index_info(?) WHERE name IS NOT NULL", index, as: String.self)
            let count = column.map { "SELECT COUNT(\($0.quotedDatabaseIdentifier)) FROM \(name) INDEXED BY \(quoted)" }
            guard isNamed || count.map({ !isReadable($0, in: session) }) ?? false else { continue }
            faults.append("index \(index) of table \(table): damaged; no row is lost, REINDEX \(index) rebuilds it")
        }
        if faults.isEmpty { faults.append("table \(table): damaged") }
        faults[0] += " (\(found.prefix(messages).joined(separator: "; ")))"
        return faults
    }

    /// The faults that SQLite finds in a table and its indexes; empty if they are sound.
    private static func integrity(of table: String, in session: SQLSession) -> [String]? {
        do {
            let found = try session.values("PRAGMA integrity_check(\(table.quotedDatabaseIdentifier))", as: String.self)
            return found.filter { $0 != "ok" && !$0.hasPrefix("***") }.map { $0.replacing("\n", with: " ") }
        } catch let error as SQLError {
            return error.isDamage ? ["database disk image is malformed"] : ["it cannot be read"]
        } catch {
            return nil
        }
    }

    private static func isReadable(_ sql: String, in session: SQLSession) -> Bool {
        do {
            _ = try session.value(sql, as: Int.self)
            return true
        } catch let error as SQLError {
            // A partial index cannot answer a query over all rows. That says nothing about its pages.
            return !error.isDamage
        } catch {
            return true
        }
    }

    /// True if the content of some row is on an unreadable page.
    private static func hasLostContent(_ name: String, in session: SQLSession) -> Bool {
        do {
            try session.forEach("SELECT * FROM \(name) NOT INDEXED") { _ in true }
            return false
        } catch {
            return true
        }
    }

    /// Reads from both ends until damage stops it. The rows in between are lost.
    private static func loss(of name: String, hasRowID: Bool, in session: SQLSession) -> String {
        guard hasRowID else { return "\(count(name, "", in: session).rows) rows can be read from its beginning" }
        let up = count(name, "ORDER BY rowid", in: session)
        let down = count(name, "ORDER BY rowid DESC", in: session)
        let readable = "\(up.rows) rows can be read from its beginning, \(down.rows) from its end"
        switch (up.last, down.last) {
        case (let first?, let last?) where last > first:
            return "the rows between rowid \(first) and \(last) are lost; \(readable)"
        case (nil, nil): return "no row of it can be read"
        default: return readable
        }
    }

    private static func count(_ name: String, _ order: String, in session: SQLSession) -> (rows: Int, last: Int64?) {
        var (rows, last) = (0, nil as Int64?)
        let rowid = order.isEmpty ? "NULL" : "rowid"
        do {
            try session.forEach("SELECT \(rowid) AS spark_row, * FROM \(name) NOT INDEXED \(order)") { row in
                rows += 1
                last = row.optional(0)
                return true
            }
        } catch {
            // The readable part ends here.
        }
        return (rows, last)
    }
}
