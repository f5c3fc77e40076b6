#define _GNU_SOURCE
#include "CSparkSystem.h"

#include <sys/uio.h>

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
