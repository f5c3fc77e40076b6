#define _GNU_SOURCE
#include "CSparkSystem.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/uio.h>

void *spark_table_allocate(size_t bytes) {
    // With what lies before the first huge page's beginning, which is given back.
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
#include <errno.h>
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
