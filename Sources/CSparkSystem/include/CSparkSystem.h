/// System calls that Glibc's Swift overlay does not show.
#ifndef CSPARKIO_H
#define CSPARKIO_H

#include <spawn.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/// pread(2) that returns -1 with EAGAIN if it would have to wait for the disk (preadv2 with RWF_NOWAIT).
/// It may return less than requested if only the beginning is in the page cache.
ssize_t spark_pread_nowait(int descriptor, void *bytes, size_t count, off_t offset);

/// Bytes that malloc holds free: of all heaps, whether the pages behind them are resident or not (mallinfo2).
size_t spark_heap_free_bytes(void);

/// Returns whole free pages of all heaps to the system (malloc_trim); holds each heap's lock for some milliseconds.
void spark_heap_trim(void);

/// Makes malloc give blocks of 1 MiB and more back to the system when they are freed, and the free end of the heap beyond 1 MiB (mallopt).
/// Otherwise glibc raises both limits, up to 32 and 64 MiB, when a large block is freed. Call it before threads exist.
void spark_heap_release_early(void);

/// Zeroed memory for a large table with random reads, in huge pages if the system has them: a read then rarely waits for the page's
/// address. Null if there is no memory. Release it with spark_table_free.
void *spark_table_allocate(size_t bytes);
void spark_table_free(void *table, size_t bytes);

/// Prefetches the cache line at an address. Any address is allowed: an unmapped one is ignored.
static inline void spark_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

/// The same for a line that will be written.
static inline void spark_prefetch_to_write(const void *address) { __builtin_prefetch(address, 1, 3); }

/// A number of the calling thread: consecutive for threads in the order of their first call.
unsigned spark_thread_number(void);

/// A file's identity and the time of its last write, from the kernel (statx). Libraries that are loaded before the C library
/// to shift the clock do not change these times.
struct spark_file_status {
    uint64_t device;
    uint64_t inode;
    /// Nanoseconds since 1970; 0 where the filesystem keeps none.
    int64_t born;
    int64_t modified;
    int64_t changed;
    int64_t bytes;
};

/// The status of the file at a path, links followed. Returns 0, or an errno.
int spark_file_status_at(const char *path, struct spark_file_status *status);

/// The status of an open file. Returns 0, or an errno.
int spark_file_status_of(int descriptor, struct spark_file_status *status);

/// The kernel's wall clock, in nanoseconds since 1970: the clock that file times come from.
int64_t spark_kernel_time(void);

/// The symbol of an errno, such as "ENOSPC"; null where it has none.
const char *spark_error_symbol(int code);

/// Reserves the blocks of a file (posix_fallocate). Returns 0, or an errno.
int spark_reserve(int descriptor, off_t bytes);

/// Lets one file share all blocks of another on a file system that can, until one of them is written to (FICLONE). What `to` had there
/// before is gone; its length never shrinks. Returns 0, or an errno.
int spark_share_blocks(int to, int from);

/// Copies the first bytes of a file to another, in the kernel if it can (copy_file_range). Returns 0, or an errno.
int spark_copy_bytes(int to, int from, int64_t bytes);

/// Makes the first bytes of a file equal to those of another: writes only the pages of 4,096 bytes that differ, and appends what is
/// missing. Returns 0, or an errno.
int spark_copy_differences(int to, int from, int64_t bytes);

/// accept4(2) with SOCK_NONBLOCK and SOCK_CLOEXEC: no child process can inherit the connection.
int spark_accept(int descriptor, struct sockaddr *peer, socklen_t *length);

/// Sets the nice value of the calling thread alone, as Linux allows (setpriority(2)). An unprivileged thread cannot raise its priority
/// again, so only threads that do nothing else should lower it.
void spark_thread_priority(int nice);

/// Whether a descriptor is a TCP socket over IPv4 or IPv6 that listens.
int spark_is_tcp_listener(int descriptor);

/// Sends a datagram to the socket at a path and never waits. Returns 0, or an errno.
int spark_send_datagram(int socket, const char *path, const void *bytes, size_t count);

/// The same for bytes that are too many for a datagram: they are in a sealed file in memory, whose descriptor is sent (memfd_create).
int spark_send_sealed(int socket, const char *path, const void *bytes, size_t count);

/// Whether a time service keeps the kernel's clock right (adjtimex): 1, 0, or -1 if the kernel does not say.
int spark_clock_is_synchronised(void);

/// A pipe, close-on-exec from its beginning: a child of another thread does not keep it open. Returns 0, or an errno.
int spark_pipe(int ends[2]);

/// Lets a program that is started with these actions begin without the descriptors from one on. Returns 0, or an errno.
int spark_spawn_close_from(posix_spawn_file_actions_t *actions, int first);

#endif
