#include "GatheredLog.h"

#include <stdlib.h>
#include <string.h>

/// The most bytes that SQLite's method for Unix writes at once: some thirty frames of 4 KiB.
enum { capacity = (128 << 10) - 1 };

struct gathered_log {
    /// Stands in for the file's own methods, which are called for everything but gathering. First, so that a file leads here.
    sqlite3_io_methods methods;
    const sqlite3_io_methods *original;
    int is_gathering;
    /// Called before bytes that are in the file are overwritten or cut off; null if nobody watches.
    spark_log_ends ends;
    void *context;
    /// The gathered bytes, and their place in the file.
    int count;
    sqlite3_int64 start;
    char bytes[capacity];
};

static struct gathered_log *log_of(sqlite3_file *file) { return (struct gathered_log *)(void *)file->pMethods; }

static int write_gathered(sqlite3_file *file) {
    struct gathered_log *log = log_of(file);
    if (log->count == 0) return SQLITE_OK;
    const int count = log->count;
    log->count = 0;
    return log->original->xWrite(file, log->bytes, count, log->start);
}

static int log_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
    struct gathered_log *log = log_of(file);
    // SQLite writes the header when it begins a log, and only then.
    if (offset == 0 && log->ends) log->ends(log->context, count >= 24 ? bytes : NULL);
    const int follows = log->count > 0 && offset == log->start + log->count && count <= capacity - log->count;
    if (!follows) {
        const int code = write_gathered(file);
        if (code != SQLITE_OK) return code;
        if (!log->is_gathering || count > capacity) return log->original->xWrite(file, bytes, count, offset);
        log->start = offset;
    }
    memcpy(log->bytes + log->count, bytes, (size_t)count);
    log->count += count;
    return SQLITE_OK;
}

static int log_sync(sqlite3_file *file, int flags) {
    const int code = write_gathered(file);
    return code != SQLITE_OK ? code : log_of(file)->original->xSync(file, flags);
}

static int log_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
    const int code = write_gathered(file);
    return code != SQLITE_OK ? code : log_of(file)->original->xRead(file, bytes, count, offset);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size) {
    const int code = write_gathered(file);
    if (code != SQLITE_OK) return code;
    struct gathered_log *log = log_of(file);
    if (log->ends) log->ends(log->context, NULL);
    return log->original->xTruncate(file, size);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *size) {
    const int code = write_gathered(file);
    return code != SQLITE_OK ? code : log_of(file)->original->xFileSize(file, size);
}

static int log_close(sqlite3_file *file) {
    struct gathered_log *log = log_of(file);
    // What a failed transaction left is of no use.
    const int code = log->original->xClose(file);
    free(log);
    return code;
}

/// The connection's log, with these methods; null if there is none.
static sqlite3_file *open_log(sqlite3 *database, int may_install) {
    sqlite3_file *file = NULL;
    if (sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) != SQLITE_OK || !file || !file->pMethods) return NULL;
    if (file->pMethods->xWrite == log_write) return file;
    if (!may_install) return NULL;
    struct gathered_log *log = malloc(sizeof *log);
    if (!log) return NULL;
    log->original = file->pMethods;
    log->methods = *file->pMethods;
    log->methods.xClose = log_close;
    log->methods.xRead = log_read;
    log->methods.xWrite = log_write;
    log->methods.xTruncate = log_truncate;
    log->methods.xSync = log_sync;
    log->methods.xFileSize = log_size;
    log->is_gathering = 0;
    log->ends = NULL;
    log->context = NULL;
    log->count = 0;
    log->start = 0;
    file->pMethods = &log->methods;
    return file;
}

void spark_log_begin_gathering(sqlite3 *database) {
    sqlite3_file *file = open_log(database, 1);
    if (file) log_of(file)->is_gathering = 1;
}

void spark_log_end_gathering(sqlite3 *database) {
    sqlite3_file *file = open_log(database, 0);
    if (!file) return;
    log_of(file)->is_gathering = 0;
    log_of(file)->count = 0;
}

int spark_log_watch(sqlite3 *database, spark_log_ends ends, void *context) {
    sqlite3_file *file = open_log(database, ends != NULL);
    if (!file) return ends == NULL;
    log_of(file)->ends = ends;
    log_of(file)->context = context;
    return 1;
}

void spark_log_checksum(const void *bytes, size_t count, int is_big_endian, uint32_t sums[2]) {
    const unsigned char *place = bytes;
    uint32_t first = sums[0], second = sums[1];
    for (size_t index = 0; index + 8 <= count; index += 8, place += 8) {
        uint32_t left, right;
        memcpy(&left, place, 4);
        memcpy(&right, place + 4, 4);
        if (is_big_endian) left = __builtin_bswap32(left), right = __builtin_bswap32(right);
        first += left + second;
        second += right + first;
    }
    sums[0] = first;
    sums[1] = second;
}
