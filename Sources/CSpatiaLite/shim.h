#ifndef SPARK_CSPATIALITE_SHIM_H
#define SPARK_CSPATIALITE_SHIM_H
#include <sqlite3.h>
#include <spatialite.h>

/// Leaves the WAL as it is when the connection is closed, also if that is the last one (a variadic function, which Swift cannot call).
static inline void spark_keep_wal(sqlite3 *database) {
    sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (void *)0);
}
#endif
