// Measures how long a server's writer waits in SQLite's log hook after commits, and for the archive before the log is overwritten.
//
// Preloaded into a server (LD_PRELOAD) with LOG_WAIT_FILE: a file with two tables that another process can read, that of the hook and that
// of the archive. A table has 64-bit numbers: how often, nanoseconds in all, the most nanoseconds, and then how often for each length of
// time, in steps of 1/16 of an octave of nanoseconds. The functions of libsqlite3 through which a server installs both are replaced by
// such that install timed ones. The layout of the watched log is that of the server's own sources. Needs -I Sources/CGatheredLog/include.
#define _GNU_SOURCE
#include "../../Sources/CGatheredLog/GatheredLog.c"

#include <dlfcn.h>
#include <fcntl.h>
#include <math.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { steps = 16, buckets = 48 * steps };

struct waits { _Atomic unsigned long long count, nanoseconds, most, bucket[buckets]; };

static struct waits own[2];
static struct waits *waits = own;

__attribute__((constructor)) static void share(void) {
    const char *path = getenv("LOG_WAIT_FILE");
    int file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0) return;
    if (ftruncate(file, sizeof own) == 0) {
        void *shared = mmap(NULL, sizeof own, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (shared != MAP_FAILED) waits = shared;
    }
    close(file);
}

static unsigned long long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (unsigned long long)time.tv_sec * 1000000000ull + (unsigned long long)time.tv_nsec;
}

static void note(struct waits *table, unsigned long long begin) {
    const unsigned long long taken = now() - begin;
    const int place = taken ? (int)(log2((double)taken) * steps) : 0;
    table->count++;
    table->nanoseconds += taken;
    table->bucket[place < buckets ? place : buckets - 1]++;
    unsigned long long most = table->most;
    while (taken > most && !atomic_compare_exchange_weak(&table->most, &most, taken)) {}
}

struct hook { int (*callback)(void *, sqlite3 *, const char *, int); void *context; };

static int timed_hook(void *context, sqlite3 *database, const char *name, int frames) {
    const struct hook *hook = context;
    const unsigned long long begin = now();
    const int code = hook->callback(hook->context, database, name, frames);
    note(&waits[0], begin);
    return code;
}

// A hook lives as long as its process.
void *sqlite3_wal_hook(sqlite3 *database, int (*callback)(void *, sqlite3 *, const char *, int), void *context) {
    void *(*real)(sqlite3 *, int (*)(void *, sqlite3 *, const char *, int), void *) =
        (void *(*)(sqlite3 *, int (*)(void *, sqlite3 *, const char *, int), void *))dlsym(RTLD_NEXT, "sqlite3_wal_hook");
    struct hook *hook = callback ? malloc(sizeof *hook) : NULL;
    if (!hook) return real(database, callback, context);
    *hook = (struct hook){callback, context};
    return real(database, timed_hook, hook);
}

struct end { spark_log_ends callback; void *context; };

static void timed_end(void *context, const void *header) {
    const struct end *end = context;
    const unsigned long long begin = now();
    end->callback(end->context, header);
    note(&waits[1], begin);
}

// Whether a function is the server's own.
static int is_of_program(void *function) {
    static void *program;
    Dl_info found;
    if (!program && dladdr((void *)getauxval(AT_ENTRY), &found)) program = found.dli_fbase;
    return dladdr(function, &found) && found.dli_fbase == program;
}

int sqlite3_file_control(sqlite3 *database, const char *name, int operation, void *argument) {
    int (*real)(sqlite3 *, const char *, int, void *) = (int (*)(sqlite3 *, const char *, int, void *))dlsym(RTLD_NEXT, "sqlite3_file_control");
    const int code = real(database, name, operation, argument);
    sqlite3_file *file = operation == SQLITE_FCNTL_JOURNAL_POINTER && code == SQLITE_OK ? *(sqlite3_file **)argument : NULL;
    if (!file || !file->pMethods || !is_of_program((void *)file->pMethods->xWrite)) return code;
    struct gathered_log *log = log_of(file);
    struct end *end = log->ends && log->ends != timed_end ? malloc(sizeof *end) : NULL;
    if (!end) return code;
    *end = (struct end){log->ends, log->context};
    log->context = end;
    log->ends = timed_end;
    return code;
}
