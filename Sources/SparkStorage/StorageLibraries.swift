import CSpatiaLite
import GRDBSQLite

/// The libraries of the store.
package enum StorageLibraries {
    /// The version of SQLite that this process uses: `3.40.1`.
    package static var sqlite: String { String(cString: sqlite3_libversion()) }
    /// The version of SpatiaLite that this process uses: `5.0.1`.
    package static var spatiaLite: String { spatialite_version().map { String(cString: $0) } ?? "" }
}
