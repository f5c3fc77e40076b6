// Requests to a server at times that do not depend on its answers, as people send them, over kept connections.
//
// Usage: open_load HOST PORT TOKENS REQUESTS RATE CONNECTIONS RECORDS
// TOKENS has a token a line. REQUESTS has one request a line: KIND TOKEN_NUMBER METHOD PATH BODY. Each is sent once, RATE a second, until
// the list ends or a SIGTERM comes; what is under way is waited for. A request whose connection ends before a byte of an answer came is
// sent again over a new one, if the connection had served another request before (RFC 9112, 9.3.1); otherwise it has failed. RECORDS
// gets one record of 24 bytes for each request: when it was due (seconds of the monotonic clock, double), milliseconds from then to the
// answer (double), its line from 0 (uint32), the answer's status (uint16; 0: failed), its kind and how often it was repeated (both uint8).
// Prints one line of JSON.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { room = 64 << 10, most_repeats = 20 };

struct request { char *line; double due; uint32_t index; uint8_t kind, repeats; };
struct connection {
    int file, is_connecting, served, is_used;
    struct request *request;
    size_t sent, size, received;
    char *out, in[room];
};
struct record { double due, milliseconds; uint32_t index; uint16_t status; uint8_t kind, repeats; };

static struct sockaddr_in address;
static char **tokens;
static size_t token_count, open_count, under_way, failed, repeated;
static struct connection *connections;
static size_t connection_count;
static struct request **queue;
static size_t queue_first, queue_end;
static FILE *records;
static int events;
static char failure[256];
static volatile sig_atomic_t is_over;

static void fail(const char *what) {
    fprintf(stderr, "open_load: %s: %s\n", what, strerror(errno));
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

static char *whole_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "r");
    if (!file) fail(path);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*size + 1);
    if (!text || fread(text, 1, *size, file) != *size) fail(path);
    text[*size] = 0;
    fclose(file);
    return text;
}

// The beginnings of a file's lines, which end with zeros afterwards.
static char **lines(const char *path, size_t *count) {
    size_t size, capacity = 1 << 10;
    char *text = whole_file(path, &size), **found = malloc(capacity * sizeof *found);
    *count = 0;
    for (char *line = text; line < text + size;) {
        char *end = strchr(line, '\n');
        if (!end) end = text + size;
        *end = 0;
        if (*count == capacity) found = realloc(found, (capacity *= 2) * sizeof *found);
        if (!found) fail("memory");
        found[(*count)++] = line;
        line = end + 1;
    }
    return found;
}

static void end(struct request *request, unsigned status, const char *why) {
    struct record record = {request->due, (now() - request->due) * 1000, request->index, (uint16_t)status, request->kind,
                            request->repeats};
    fwrite(&record, sizeof record, 1, records);
    if (!status) {
        failed++;
        snprintf(failure, sizeof failure, "%s", why);
    }
    under_way--;
    free(request);
}

static void close_connection(struct connection *connection) {
    close(connection->file);
    free(connection->out);
    connection->out = NULL;
    connection->is_used = 0;
    open_count--;
}

static void broke(struct connection *connection, const char *why) {
    struct request *request = connection->request;
    int may_repeat = connection->served && !connection->received;
    close_connection(connection);
    connection->request = NULL;
    if (!request) return;
    if (may_repeat && request->repeats < most_repeats) {
        request->repeats++;
        repeated++;
        queue[queue_end++] = request;
    } else {
        end(request, 0, why);
    }
}

static void put(struct connection *connection) {
    while (connection->sent < connection->size) {
        ssize_t count = send(connection->file, connection->out + connection->sent, connection->size - connection->sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EAGAIN) break;
        if (count < 0) return broke(connection, strerror(errno));
        connection->sent += (size_t)count;
    }
    struct epoll_event wanted = {EPOLLIN | (connection->sent < connection->size ? EPOLLOUT : 0), {.ptr = connection}};
    epoll_ctl(events, EPOLL_CTL_MOD, connection->file, &wanted);
}

static void begin(struct connection *connection, struct request *request) {
    char method[16], path[512];
    unsigned kind, who;
    int body = 0;
    if (sscanf(request->line, "%u %u %15s %511s %n", &kind, &who, method, path, &body) < 4 || who >= token_count) fail(request->line);
    const char *content = request->line + body;
    connection->request = request;
    connection->sent = connection->received = 0;
    free(connection->out);
    const char *type = *content ? "Content-Type: application/json\r\n" : "";
    int size = asprintf(&connection->out, "%s %s HTTP/1.1\r\nHost: spark\r\nAuthorization: Bearer %s\r\n%sContent-Length: %zu\r\n\r\n%s", method,
                        path, tokens[who], type, strlen(content), content);
    if (size < 0) fail("memory");
    connection->size = (size_t)size;
    if (!connection->is_connecting) put(connection);
}

static struct connection *idle(void) {
    struct connection *free_place = NULL;
    for (size_t index = 0; index < connection_count; index++) {
        struct connection *connection = &connections[index];
        if (connection->is_used && !connection->request) return connection;
        if (!connection->is_used && !free_place) free_place = connection;
    }
    if (!free_place) return NULL;
    free_place->file = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (free_place->file < 0) fail("socket");
    int yes = 1;
    setsockopt(free_place->file, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(free_place->file, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) fail("connect");
    free_place->is_used = free_place->is_connecting = 1;
    free_place->served = 0;
    free_place->request = NULL;
    open_count++;
    struct epoll_event wanted = {EPOLLIN | EPOLLOUT, {.ptr = free_place}};
    if (epoll_ctl(events, EPOLL_CTL_ADD, free_place->file, &wanted) < 0) fail("epoll");
    return free_place;
}

static void send_queued(void) {
    while (queue_first < queue_end) {
        struct connection *connection = idle();
        if (!connection) return;
        begin(connection, queue[queue_first++]);
    }
}

// Whether the answer is whole.
static int take(struct connection *connection) {
    connection->in[connection->received] = 0;
    char *head = strstr(connection->in, "\r\n\r\n");
    if (!head) return connection->received == room - 1 ? -1 : 0;
    char *length = strcasestr(connection->in, "\r\ncontent-length:");
    size_t body = length && length < head ? strtoul(length + 17, NULL, 10) : 0, total = (size_t)(head + 4 - connection->in) + body;
    if (total >= room) return -1;
    if (connection->received < total) return 0;
    char *close_field = strcasestr(connection->in, "\r\nconnection: close");
    int must_close = close_field && close_field <= head;
    unsigned status = connection->received > 12 ? (unsigned)strtoul(connection->in + 9, NULL, 10) : 0;
    end(connection->request, status, "no status");
    connection->request = NULL;
    connection->served = 1;
    connection->received = 0;
    if (must_close) close_connection(connection);
    return 1;
}

static void get(struct connection *connection) {
    while (connection->is_used) {
        ssize_t count = recv(connection->file, connection->in + connection->received, room - 1 - connection->received, 0);
        if (count < 0 && errno == EAGAIN) return;
        if (count < 0) return broke(connection, strerror(errno));
        if (count == 0) return broke(connection, "the connection was closed");
        if (!connection->request) return broke(connection, "an answer without a request");
        connection->received += (size_t)count;
        if (take(connection) < 0) return broke(connection, "the answer is too long");
    }
}

int main(int count, char **words) {
    if (count != 8) {
        fprintf(stderr, "usage: open_load HOST PORT TOKENS REQUESTS RATE CONNECTIONS RECORDS\n");
        return 64;
    }
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)atoi(words[2]));
    if (inet_pton(AF_INET, words[1], &address.sin_addr) != 1) fail(words[1]);
    tokens = lines(words[3], &token_count);
    size_t total, next = 0;
    char **requests = lines(words[4], &total);
    double rate = atof(words[5]);
    connection_count = strtoul(words[6], NULL, 10);
    connections = calloc(connection_count, sizeof *connections);
    queue = malloc((total + 1) * (most_repeats + 1) * sizeof *queue);
    records = fopen(words[7], "w");
    if (!connections || !queue || !records) fail(words[7]);
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    events = epoll_create1(EPOLL_CLOEXEC);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event wanted = {EPOLLIN, {.ptr = NULL}};
    if (events < 0 || timer < 0 || epoll_ctl(events, EPOLL_CTL_ADD, timer, &wanted) < 0) fail("epoll");
    double start = now() + 0.01, over = 0;
    while ((next < total && !is_over) || under_way) {
        if (next < total && !is_over) {
            double due = start + (double)next / rate;
            struct itimerspec alarm = {{0, 0}, {(time_t)due, (long)((due - (double)(time_t)due) * 1e9)}};
            timerfd_settime(timer, TFD_TIMER_ABSTIME, &alarm, NULL);
        } else if (!over) {
            over = now();
        }
        if (over && now() > over + 60) {
            snprintf(failure, sizeof failure, "%zu requests were never answered", under_way);
            failed += under_way;
            break;
        }
        struct epoll_event ready[256];
        int found = epoll_wait(events, ready, 256, 1000);
        if (found < 0 && errno != EINTR) fail("epoll");
        for (int index = 0; index < found; index++) {
            struct connection *connection = ready[index].data.ptr;
            if (!connection) {
                uint64_t times;
                if (read(timer, &times, sizeof times) < 0 && errno != EAGAIN) fail("timer");
                continue;
            }
            if (!connection->is_used) continue;
            if (connection->is_connecting) {
                int error = 0;
                socklen_t size = sizeof error;
                getsockopt(connection->file, SOL_SOCKET, SO_ERROR, &error, &size);
                if (error) {
                    broke(connection, strerror(error));
                    continue;
                }
                if (!(ready[index].events & EPOLLOUT)) continue;
                connection->is_connecting = 0;
                put(connection);
            } else if (ready[index].events & EPOLLOUT && connection->request) {
                put(connection);
            }
            if (connection->is_used && ready[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) get(connection);
        }
        for (double time = now(); next < total && !is_over && start + (double)next / rate <= time; next++) {
            struct request *request = calloc(1, sizeof *request);
            if (!request) fail("memory");
            request->line = requests[next];
            request->index = (uint32_t)next;
            request->kind = (uint8_t)atoi(requests[next]);
            request->due = start + (double)next / rate;
            under_way++;
            queue[queue_end++] = request;
        }
        send_queued();
    }
    fclose(records);
    printf("{\"sent\": %zu, \"repeated\": %zu, \"failed\": %zu, \"failure\": \"%s\"}\n", next, repeated, failed, failure);
    return 0;
}
