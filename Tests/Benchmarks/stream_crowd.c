// Holds many WebSockets of Spark's stream, and comes back when they end, as devices do: with the last offset.
//
// Usage: stream_crowd HOST PORT TOKENS AT_ONCE [--obey]
// One socket for each token (a line of TOKENS), from eight addresses; at most AT_ONCE are being opened at a time. With --obey a device waits
// as long as the server's "bye" asks for; otherwise it comes back at once. A refused one tries again after 50 ms. Prints "all TIME" each time
// everybody is caught up ("live"), and "lost TIME" when the first one is no longer, both by the monotonic clock. After a SIGTERM it prints
// "failures COUNT", how many attempts to connect failed.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { room = 8 << 10 };
enum state { away, connecting, upgrading, greeting, live };

struct device {
    enum state state;
    int file, number;
    double due;
    char *token, epoch[64];
    long offset;
    size_t received;
    unsigned char in[room];
};

static struct sockaddr_in address;
static struct device *devices;
static size_t device_count, live_count, opening, at_once, failures;
static int events, obeys, is_whole;
static volatile sig_atomic_t is_over;

static void fail(const char *what) {
    fprintf(stderr, "stream_crowd: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void stop(int number) {
    (void)number;
    is_over = 1;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void say(const char *word) {
    printf("%s %.6f\n", word, now());
    fflush(stdout);
}

static void leave(struct device *device, int is_failure) {
    close(device->file);
    if (device->state == live) {
        live_count--;
        if (is_whole) say("lost");
        is_whole = 0;
    } else {
        opening--;
    }
    failures += (size_t)is_failure;
    if (is_failure) device->due = now() + 0.05;
    device->state = away;
}

static void put(struct device *device, const void *bytes, size_t count) {
    // Small enough for an empty socket.
    if (send(device->file, bytes, count, MSG_NOSIGNAL) != (ssize_t)count) leave(device, 1);
}

// One frame, masked with zeros.
static void put_frame(struct device *device, int opcode, const void *content, size_t count) {
    unsigned char frame[256] = {(unsigned char)(0x80 | opcode), (unsigned char)(0x80 | count)};
    if (count > 125) return leave(device, 1);
    memcpy(frame + 6, content, count);
    put(device, frame, count + 6);
}

static void come(struct device *device) {
    device->file = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (device->file < 0) fail("socket");
    int yes = 1;
    setsockopt(device->file, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7F000001u + (unsigned)device->number % 8)};
    setsockopt(device->file, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (bind(device->file, (struct sockaddr *)&own, sizeof own) < 0) fail("bind");
    device->state = connecting;
    device->received = 0;
    opening++;
    struct epoll_event wanted = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = device}};
    if (epoll_ctl(events, EPOLL_CTL_ADD, device->file, &wanted) < 0) fail("epoll");
    if (connect(device->file, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) leave(device, 1);
}

static void ask(struct device *device) {
    char text[1024];
    int size = snprintf(text, sizeof text,
                        "GET /api/v1/ws HTTP/1.1\r\nHost: spark\r\nAuthorization: Bearer %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: spark.v1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                        device->token);
    device->state = upgrading;
    put(device, text, (size_t)size);
}

static void greet(struct device *device) {
    char text[125];
    int size = device->epoch[0] ? snprintf(text, sizeof text, "{\"type\":\"hello\",\"v\":1,\"epoch\":\"%s\",\"offset\":%ld}", device->epoch, device->offset)
                                : snprintf(text, sizeof text, "{\"type\":\"hello\",\"v\":1}");
    device->state = greeting;
    put_frame(device, 1, text, (size_t)size);
}

static void hear(struct device *device, char *text) {
    char *epoch = strstr(text, "\"epoch\":\""), *offset = strstr(text, "\"offset\":"), *after = strstr(text, "\"after_seconds\":");
    if (offset) device->offset = strtol(offset + 9, NULL, 10);
    if (strstr(text, "\"type\":\"welcome\"") && epoch) snprintf(device->epoch, sizeof device->epoch, "%.*s", (int)strcspn(epoch + 9, "\""), epoch + 9);
    if (strstr(text, "\"type\":\"bye\"") && after && obeys) device->due = now() + (double)strtol(after + 16, NULL, 10);
    if (strstr(text, "\"type\":\"live\"") && device->state == greeting) {
        device->state = live;
        opening--;
        live_count++;
        if (live_count == device_count) {
            is_whole = 1;
            say("all");
        }
    }
}

// Takes one frame or the answer to the upgrade. Returns how many bytes it has; 0 if it is not whole.
static size_t take(struct device *device) {
    unsigned char *in = device->in;
    if (device->state == upgrading) {
        unsigned char *end = memmem(in, device->received, "\r\n\r\n", 4);
        if (!end) return 0;
        size_t size = (size_t)(end + 4 - in);
        if (memcmp(in, "HTTP/1.1 101", 12) != 0) return leave(device, 1), 0;
        greet(device);
        return size;
    }
    if (device->received < 2) return 0;
    size_t size = in[1] & 0x7F, head = 2;
    if (size == 126) {
        if (device->received < 4) return 0;
        size = (size_t)in[2] << 8 | in[3];
        head = 4;
    }
    if ((in[1] & 0x7F) == 127 || head + size >= room) return leave(device, 1), 0;
    if (device->received < head + size) return 0;
    const int opcode = in[0] & 15;
    if (opcode == 8) return leave(device, 0), 0;
    if (opcode == 9) put_frame(device, 10, in + head, size);
    if (opcode == 1) {
        char text[room];
        memcpy(text, in + head, size);
        text[size] = 0;
        hear(device, text);
    }
    return device->state == away ? 0 : head + size;
}

static void get(struct device *device) {
    while (device->state != away) {
        ssize_t count = recv(device->file, device->in + device->received, room - device->received, 0);
        if (count < 0 && errno == EAGAIN) return;
        if (count <= 0) return leave(device, device->state != live);
        device->received += (size_t)count;
        for (size_t taken; device->state != away && device->received && (taken = take(device)) > 0;) {
            device->received -= taken;
            memmove(device->in, device->in + taken, device->received);
        }
    }
}

int main(int count, char **words) {
    if (count < 5) {
        fprintf(stderr, "usage: stream_crowd HOST PORT TOKENS AT_ONCE [--obey]\n");
        return 64;
    }
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)atoi(words[2]));
    if (inet_pton(AF_INET, words[1], &address.sin_addr) != 1) fail(words[1]);
    at_once = strtoul(words[4], NULL, 10);
    obeys = count > 5 && strcmp(words[5], "--obey") == 0;
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    FILE *file = fopen(words[3], "r");
    if (!file) fail(words[3]);
    char *line = NULL;
    size_t size = 0, capacity = 0;
    for (ssize_t length; (length = getline(&line, &size, file)) > 0;) {
        if (line[length - 1] == '\n') line[length - 1] = 0;
        if (device_count == capacity) devices = realloc(devices, (capacity = capacity ? capacity * 2 : 256) * sizeof *devices);
        if (!devices) fail("memory");
        struct device *device = &devices[device_count];
        device->state = away;
        device->number = (int)device_count++;
        device->due = device->offset = 0;
        device->epoch[0] = 0;
        device->token = strdup(line);
    }
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    events = epoll_create1(EPOLL_CLOEXEC);
    while (!is_over) {
        double time = now();
        for (size_t index = 0; live_count + opening < device_count && opening < at_once && index < device_count; index++)
            if (devices[index].state == away && devices[index].due <= time) come(&devices[index]);
        struct epoll_event ready[512];
        int found = epoll_wait(events, ready, 512, 10);
        if (found < 0 && errno != EINTR) fail("epoll");
        for (int index = 0; index < found; index++) {
            struct device *device = ready[index].data.ptr;
            if (device->state == away) continue;
            if (device->state == connecting) {
                int error = 0;
                socklen_t length = sizeof error;
                getsockopt(device->file, SOL_SOCKET, SO_ERROR, &error, &length);
                if (error) leave(device, 1);
                else if (ready[index].events & EPOLLOUT) ask(device);
            }
            if (device->state != away && device->state != connecting) get(device);
        }
    }
    printf("failures %zu\n", failures);
    return 0;
}
