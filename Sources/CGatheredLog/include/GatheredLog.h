/// Fewer system calls for SQLite's write-ahead log: what one commit appends is written in large pieces.
#ifndef SPARK_GATHERED_LOG_H
#define SPARK_GATHERED_LOG_H

#include <sqlite3.h>

/// SQLite writes each frame of its log with two system calls. Between begin and end, frames that follow each other are gathered in memory
/// and written when the log is synchronised or read, so the order of writes and synchronisations stays the same. Other connections see no
/// difference either: they read a frame only after the index names it, which happens after the synchronisation.
///
/// Use it only for a connection whose commits synchronise the log (PRAGMA synchronous = FULL), on the thread that uses the connection.
/// Without a write-ahead log, or without memory, nothing is gathered.
void spark_log_begin_gathering(sqlite3 *database);

/// Ends it. Call it outside a transaction: what is still in memory then belongs to a transaction that was rolled back, and is dropped.
void spark_log_end_gathering(sqlite3 *database);

#endif
