#define _GNU_SOURCE
#include "CSparkSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

void *spark_table_allocate(size_t bytes) {
    // Includes the part before the first huge page, which is returned to the system.
    const size_t page = 2 << 20, whole = bytes < page ? bytes : bytes + page;
    char *memory = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    if (whole == bytes) return memory;
    const size_t before = (page - (uintptr_t)memory % page) % page;
    if (before > 0) munmap(memory, before);
    if (page > before) munmap(memory + before + bytes, page - before);
#ifdef MADV_HUGEPAGE
    madvise(memory + before, bytes, MADV_HUGEPAGE);
#endif
    return memory + before;
}

void spark_table_free(void *table, size_t bytes) { munmap(table, bytes); }

#ifdef RWF_NOWAIT
ssize_t spark_pread_nowait(int descriptor, void *bytes, size_t count, off_t offset) {
    struct iovec piece = {.iov_base = bytes, .iov_len = count};
    return preadv2(descriptor, &piece, 1, offset, RWF_NOWAIT);
}
#else
ssize_t spark_pread_nowait(int descriptor, void *bytes, size_t count, off_t offset) {
    (void)descriptor, (void)bytes, (void)count, (void)offset;
    errno = EAGAIN;
    return -1;
}
#endif

#ifdef __GLIBC__
#include <malloc.h>
size_t spark_heap_free_bytes(void) { return mallinfo2().fordblks; }
void spark_heap_trim(void) { malloc_trim(0); }
#else
size_t spark_heap_free_bytes(void) { return 0; }
void spark_heap_trim(void) {}
#endif

unsigned spark_thread_number(void) {
    static atomic_uint numbers;
    static _Thread_local unsigned number;
    if (number == 0) number = atomic_fetch_add_explicit(&numbers, 1, memory_order_relaxed) + 1;
    return number;
}

static int64_t nanoseconds(const struct statx_timestamp *time) { return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec; }

static int file_status(int descriptor, const char *path, int flags, struct spark_file_status *status) {
    struct statx found;
    memset(&found, 0, sizeof found);
    if (syscall(SYS_statx, descriptor, path, flags, STATX_BASIC_STATS | STATX_BTIME, &found) != 0) return errno;
    status->device = (uint64_t)found.stx_dev_major << 32 | found.stx_dev_minor;
    status->inode = found.stx_ino;
    status->born = found.stx_mask & STATX_BTIME ? nanoseconds(&found.stx_btime) : 0;
    status->modified = nanoseconds(&found.stx_mtime);
    status->changed = nanoseconds(&found.stx_ctime);
    status->bytes = (int64_t)found.stx_size;
    return 0;
}

int spark_file_status_at(const char *path, struct spark_file_status *status) { return file_status(AT_FDCWD, path, 0, status); }

int spark_file_status_of(int descriptor, struct spark_file_status *status) {
    return file_status(descriptor, "", AT_EMPTY_PATH, status);
}

int64_t spark_kernel_time(void) {
    struct timespec now = {0, 0};
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 32)
const char *spark_error_symbol(int code) { return strerrorname_np(code); }
#else
const char *spark_error_symbol(int code) {
    (void)code;
    return NULL;
}
#endif

int spark_reserve(int descriptor, off_t bytes) { return posix_fallocate(descriptor, 0, bytes); }

int spark_accept(int descriptor, struct sockaddr *peer, socklen_t *length) {
    return accept4(descriptor, peer, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
