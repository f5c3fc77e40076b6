import CSpatiaLite
import GRDB
import GRDBSQLite

/// Attaches SpatiaLite to a connection: its SQL functions (ST_…, AddGeometryColumn, CheckSpatialIndex …) and virtual tables.
enum SpatiaLite {
    /// Call it once for each connection, on the thread that owns it. Closing the connection frees the memory: a function that
    /// is never called is registered for its destructor.
    static func attach(to database: Database) throws {
        guard let handle = database.sqliteConnection else { return }
        guard let cache = spatialite_alloc_connection() else {
            throw DatabaseError(resultCode: .SQLITE_NOMEM, message: "SpatiaLite has no more connections")
        }
        spatialite_init_ex(handle, cache, 0)
        sqlite3_create_function_v2(
            handle, "spark_spatialite_anchor", 0, SQLITE_UTF8, cache,
            { context, _, _ in sqlite3_result_null(context) }, nil, nil,
            { cache in spatialite_cleanup_ex(cache) })
    }

    /// Creates the metadata tables with the one reference system that Spark uses. It runs inside the migration's transaction,
    /// so SpatiaLite must not open its own.
    static func createMetadata(in session: SQLSession) throws {
        try session.script("SELECT InitSpatialMetaData(0, 'NONE'); SELECT InsertEpsgSrid(4326)")
    }

    /// Drops the triggers on the metadata tables, which check what others write there; only SpatiaLite itself does. Each connection
    /// parsed and kept them: three quarters of a schema of 435 kB.
    static func dropMetadataTriggers(in session: SQLSession) throws {
        let names = try session.values(
            """
            SELECT name FROM sqlite_schema WHERE type = 'trigger' AND (
                tbl_name LIKE 'geometry_columns%' OR tbl_name LIKE 'views_geometry_columns%'
                OR tbl_name LIKE 'virts_geometry_columns%')
            """, as: String.self)
        for name in names { try session.script("DROP TRIGGER \"\(name)\"") }
    }
}
