#ifndef SPARK_CSPATIALITE_SHIM_H
#define SPARK_CSPATIALITE_SHIM_H
#include <sqlite3.h>
#include <spatialite.h>

/// Keeps the WAL when the connection is closed, even if it is the last one (a variadic function, which Swift cannot call).
static inline void spark_keep_wal(sqlite3 *database) {
    sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (void *)0);
}

/// The last system error of the write-ahead log, otherwise of the database file: an errno, or 0. After a failed commit SQLite keeps only its
/// own code.
static inline int spark_last_system_error(sqlite3 *database) {
    sqlite3_file *log = 0;
    int code = 0;
    if (sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK && log && log->pMethods)
        log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &code);
    if (code == 0) sqlite3_file_control(database, "main", SQLITE_FCNTL_LAST_ERRNO, &code);
    return code != 0 ? code : sqlite3_system_errno(database);
}
#endif
