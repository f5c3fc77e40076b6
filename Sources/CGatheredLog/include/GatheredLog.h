/// SQLite's write-ahead log: fewer system calls, and notice before it loses what it contains.
#ifndef SPARK_GATHERED_LOG_H
#define SPARK_GATHERED_LOG_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

/// SQLite writes each frame of its log with two system calls. Between begin and end, frames that follow each other are gathered in memory
/// and written when the log is synchronised or read, so the order of writes and synchronisations stays the same. Other connections see no
/// difference either: they read a frame only after the index names it, which happens after the synchronisation.
///
/// Use it only for a connection whose commits synchronise the log (PRAGMA synchronous = FULL), on the thread that uses the connection.
/// Without a write-ahead log, or without memory, nothing is gathered.
void spark_log_begin_gathering(sqlite3 *database);

/// Ends it. Call it outside a transaction: what is still in memory then belongs to a transaction that was rolled back, and is dropped.
void spark_log_end_gathering(sqlite3 *database);

/// Called before a connection overwrites the beginning of the log or cuts the file off, with the lock that keeps other writers out. Everything
/// that was committed is in the file then. `header` has the next log's header; null if the file is cut off.
typedef void (*spark_log_ends)(void *context, const void *header);

/// Makes a connection call `ends` from now on; null ends that. The connection must have read something before, so that its log is open.
/// Returns 0 if it has no log, or there is no memory.
int spark_log_watch(sqlite3 *database, spark_log_ends ends, void *context);

/// Continues the checksum of a log over further bytes, a multiple of 8 (https://www.sqlite.org/fileformat2.html, section 4.2).
void spark_log_checksum(const void *bytes, size_t count, int is_big_endian, uint32_t sums[2]);

#endif
