// Counts the waits for the disk of SQLite in a process, and how long they take: it stands before the C library's fsync and fdatasync.
//
// Linked into sqlite_harness, and preloaded into a server (LD_PRELOAD). With DISK_TIME_FILE the counters are in that file, where
// another process can read them: two 64-bit numbers, waits and nanoseconds. With DISK_TIME_SKIP nothing waits, which shows the work
// of the processor alone; what a crash of the machine would then lose is a benchmark's.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct disk_time { _Atomic unsigned long long waits, nanoseconds; };

static struct disk_time own;
struct disk_time *disk_time = &own;
static int is_skipped;

__attribute__((constructor)) static void share(void) {
    is_skipped = getenv("DISK_TIME_SKIP") != NULL;
    const char *path = getenv("DISK_TIME_FILE");
    int file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0) return;
    if (ftruncate(file, sizeof own) == 0) {
        void *shared = mmap(NULL, sizeof own, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (shared != MAP_FAILED) disk_time = shared;
    }
    close(file);
}

static int timed(long call, int file) {
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    int result = is_skipped ? 0 : (int)syscall(call, file);
    clock_gettime(CLOCK_MONOTONIC, &end);
    disk_time->waits++;
    disk_time->nanoseconds += (unsigned long long)((end.tv_sec - begin.tv_sec) * 1000000000LL + end.tv_nsec - begin.tv_nsec);
    return result;
}

int fdatasync(int file) { return timed(SYS_fdatasync, file); }
int fsync(int file) { return timed(SYS_fsync, file); }
