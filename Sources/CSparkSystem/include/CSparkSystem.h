/// System calls that Glibc's Swift overlay does not show.
#ifndef CSPARKIO_H
#define CSPARKIO_H

#include <sys/types.h>

/// pread(2) that answers -1 with EAGAIN where it would have to wait for the disk (preadv2 with RWF_NOWAIT).
/// It may answer less than asked where only the beginning is in the page cache.
ssize_t spark_pread_nowait(int descriptor, void *bytes, size_t count, off_t offset);

/// Bytes that malloc holds free: of all heaps, whether the pages behind them are resident or not (mallinfo2).
size_t spark_heap_free_bytes(void);

/// Gives whole free pages of all heaps back to the system (malloc_trim); holds each heap's lock for some milliseconds.
void spark_heap_trim(void);

#endif
