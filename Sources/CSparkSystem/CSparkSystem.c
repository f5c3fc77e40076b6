#define _GNU_SOURCE
#include "CSparkSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
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
void spark_heap_release_early(void) {
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
}
#else
size_t spark_heap_free_bytes(void) { return 0; }
void spark_heap_trim(void) {}
void spark_heap_release_early(void) {}
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

#ifdef __linux__
#include <linux/fs.h>
#include <sys/ioctl.h>

int spark_share_blocks(int to, int from) { return ioctl(to, FICLONE, from) == 0 ? 0 : errno; }
#else
int spark_share_blocks(int to, int from) { return ENOTSUP; }
#endif

/// Writes all bytes. Returns 0, or an errno.
static int write_whole(int descriptor, const char *bytes, size_t count, off_t offset) {
    while (count > 0) {
        ssize_t written = pwrite(descriptor, bytes, count, offset);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return written < 0 ? errno : EIO;
        bytes += written;
        offset += written;
        count -= (size_t)written;
    }
    return 0;
}

int spark_copy_bytes(int to, int from, int64_t bytes) {
    off_t read_at = 0, write_at = 0;
#ifdef __linux__
    while (read_at < bytes) {
        ssize_t moved = copy_file_range(from, &read_at, to, &write_at, (size_t)(bytes - read_at), 0);
        if (moved < 0 && errno == EINTR) continue;
        if (moved <= 0) break;
    }
#endif
    // Not every pair of file systems can do it.
    char part[65536];
    while (read_at < bytes) {
        size_t wanted = bytes - read_at < (int64_t)sizeof part ? (size_t)(bytes - read_at) : sizeof part;
        ssize_t count = pread(from, part, wanted, read_at);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return count < 0 ? errno : EIO;
        int code = write_whole(to, part, (size_t)count, read_at);
        if (code != 0) return code;
        read_at += count;
    }
    return 0;
}

int spark_copy_differences(int to, int from, int64_t bytes) {
    enum { page = 4096 };
    struct stat status;
    if (fstat(to, &status) != 0) return errno;
    if (bytes == 0) return 0;
    int64_t common = status.st_size < bytes ? status.st_size : bytes;
    char *wanted = mmap(NULL, (size_t)bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, from, 0);
    if (wanted == MAP_FAILED) return errno;
    char *known = common == 0 ? NULL : mmap(NULL, (size_t)common, PROT_READ, MAP_SHARED | MAP_POPULATE, to, 0);
    int code = known == MAP_FAILED ? errno : 0;
    // Neighbours that differ are written together.
    int64_t begin = -1;
    for (int64_t at = 0; code == 0 && at <= bytes; at += page) {
        int64_t count = bytes - at < page ? bytes - at : page;
        int differs = count > 0 && (at + count > common || memcmp(wanted + at, known + at, (size_t)count) != 0);
        if (differs && begin < 0) begin = at;
        if (!differs && begin >= 0) {
            code = write_whole(to, wanted + begin, (size_t)(at - begin), begin);
            begin = -1;
        }
    }
    if (code == 0 && begin >= 0) code = write_whole(to, wanted + begin, (size_t)(bytes - begin), begin);
    munmap(wanted, (size_t)bytes);
    if (known != NULL && known != MAP_FAILED) munmap(known, (size_t)common);
    return code;
}

int spark_accept(int descriptor, struct sockaddr *peer, socklen_t *length) {
    return accept4(descriptor, peer, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

void spark_thread_priority(int nice) { setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), nice); }

static int socket_option(int descriptor, int option) {
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

int spark_is_tcp_listener(int descriptor) {
    const int domain = socket_option(descriptor, SO_DOMAIN);
    return (domain == AF_INET || domain == AF_INET6) && socket_option(descriptor, SO_TYPE) == SOCK_STREAM
        && socket_option(descriptor, SO_ACCEPTCONN) == 1;
}

static int send_to_path(int socket, const char *path, struct msghdr *message) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t length = strlen(path);
    if (length == 0 || length >= sizeof address.sun_path) return ENAMETOOLONG;
    memcpy(address.sun_path, path, length + 1);
    message->msg_name = &address;
    message->msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    while (sendmsg(socket, message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        if (errno != EINTR) return errno;
    }
    return 0;
}

int spark_send_datagram(int socket, const char *path, const void *bytes, size_t count) {
    struct iovec piece = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    return send_to_path(socket, path, &message);
}

int spark_send_sealed(int socket, const char *path, const void *bytes, size_t count) {
    const int file = memfd_create("spark-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0) return errno;
    int code = 0;
    for (size_t done = 0; code == 0 && done < count;) {
        const ssize_t written = write(file, (const char *)bytes + done, count - done);
        if (written > 0) done += (size_t)written;
        else if (written == 0 || errno != EINTR) code = written == 0 ? EIO : errno;
    }
    if (code == 0 && fcntl(file, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) code = errno;
    if (code == 0) {
        union {
            char bytes[CMSG_SPACE(sizeof(int))];
            struct cmsghdr aligned;
        } control;
        memset(&control, 0, sizeof control);
        struct msghdr message = {.msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &file, sizeof file);
        code = send_to_path(socket, path, &message);
    }
    close(file);
    return code;
}

int spark_clock_is_synchronised(void) {
    struct timex state = {.modes = 0};
    const int result = adjtimex(&state);
    if (result < 0) return -1;
    return result != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

int spark_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno; }

int spark_spawn_close_from(posix_spawn_file_actions_t *actions, int first) {
#ifdef __GLIBC__
    return posix_spawn_file_actions_addclosefrom_np(actions, first);
#else
    return 0;
#endif
}

/// Before any other code opens something: a standard stream that is closed would otherwise become a database or a socket, and get what is
/// written to the stream.
__attribute__((constructor)) static void open_standard_streams(void) {
    for (int stream = 0; stream < 3; stream++)
        if (fcntl(stream, F_GETFD) < 0 && errno == EBADF) open("/dev/null", O_RDWR);
}
