import SparkStorage

/// The mark under which the hot index was saved, in the database that it was saved from.
///
/// The database has the mark for as long as nobody in it has changed since: the first change of `profiles_users` or
/// `matching_tallies` removes it, by triggers, in the same transaction, also when an operator changes them by SQL. Marks are random, so a
/// database with a mark contains exactly the people that were saved under it, also if it is a copy that was restored, or a state
/// that was rolled back to.
enum IndexMark {
    static let bytes = 16

    /// The current mark; nil if somebody changed since the last one was set.
    static func current(in session: some SQLRunning) throws -> [UInt8]? {
        try session.value("SELECT mark FROM matching_index_mark", as: [UInt8].self)
    }

    static func set(_ mark: [UInt8], in session: some SQLRunning) throws {
        try session.run(
            "INSERT INTO matching_index_mark (id, mark) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET mark = excluded.mark",
            SQLValue.blob(mark))
    }

    static func remove(in session: some SQLRunning) throws { try session.run("DELETE FROM matching_index_mark") }

    /// The triggers that remove the mark.
    static let triggers = ["profiles_users", "matching_tallies"].flatMap { table in
        ["insert", "update", "delete"].map { change in
            """
            CREATE TRIGGER matching_index_mark_\(table)_\(change) AFTER \(change) ON \(table)
            WHEN EXISTS (SELECT 1 FROM matching_index_mark) BEGIN DELETE FROM matching_index_mark; END;
            """
        }
    }.joined(separator: "\n")
}
