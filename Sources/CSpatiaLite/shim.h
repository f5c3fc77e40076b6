#ifndef SPARK_CSPATIALITE_SHIM_H
#define SPARK_CSPATIALITE_SHIM_H
#include <sqlite3.h>
#include <spatialite.h>

/// Leaves the WAL as it is when the connection is closed, also if that is the last one (a variadic function, which Swift cannot call).
static inline void spark_keep_wal(sqlite3 *database) {
    sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (void *)0);
}

/// What the system said last of the write-ahead log, else of the database file: an errno, or 0. After a failed commit SQLite itself keeps only its
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
