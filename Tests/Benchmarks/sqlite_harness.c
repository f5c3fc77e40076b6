// The database work of a swipe, a message or a move, by libsqlite3 alone: what remains of Spark without server, rules and Swift.
//
// Usage: sqlite_harness DATABASE swipe|message|move SECONDS OPERATIONS_PER_TRANSACTION
// DATABASE is a copy of a seeded Spark database, so tables, indexes and triggers are Spark's own; people with a session act. The statements
// are those that Spark's writer runs for one request, prepared once, with the same PRAGMAs. One thread, one connection; pages move from the
// WAL into the database when as many have gathered as Spark waits for. Prints one line of JSON. Exits with 1 when a statement does not fit
// the database any more: then the statement here has to follow Spark's.
#include <sqlite3.h>
#include <spatialite.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

extern struct { _Atomic unsigned long long waits, nanoseconds; } *disk_time;

static sqlite3 *database;

static void fail(const char *what) {
    fprintf(stderr, "sqlite_harness: %s: %s\n", what, sqlite3_errmsg(database));
    exit(1);
}

static void execute(const char *sql) {
    if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK) fail(sql);
}

static sqlite3_stmt *prepare(const char *sql) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK) fail(sql);
    return statement;
}

// Binds the values that `types` names (i: int64_t, t: const char *, p: const unsigned char * to a point), runs the statement, and returns
// the first column of its first row, or -1 without a row. `row`, if not NULL, gets the first four columns.
static int64_t run(sqlite3_stmt *statement, int64_t *row, const char *types, ...) {
    va_list values;
    va_start(values, types);
    for (int index = 0; types[index]; index++) {
        if (types[index] == 'i') sqlite3_bind_int64(statement, index + 1, va_arg(values, int64_t));
        if (types[index] == 't') sqlite3_bind_text(statement, index + 1, va_arg(values, const char *), -1, SQLITE_STATIC);
        if (types[index] == 'p') sqlite3_bind_blob(statement, index + 1, va_arg(values, const unsigned char *), 60, SQLITE_STATIC);
    }
    va_end(values);
    int code = sqlite3_step(statement);
    int64_t first = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    if (code == SQLITE_ROW && row)
        for (int column = 0; column < 4; column++) row[column] = sqlite3_column_int64(statement, column);
    if (code != SQLITE_ROW && code != SQLITE_DONE) fail(sqlite3_sql(statement));
    sqlite3_reset(statement);
    return first;
}

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int64_t milliseconds(void) { return (int64_t)(seconds(CLOCK_REALTIME) * 1000); }

static uint64_t below(uint64_t bound) {
    static uint64_t state = 88172645463325252ull;
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state % bound;
}

// People who act, and what they act on.

struct actor { int64_t session, user, conversation, other; double longitude, latitude; };

static struct actor *actors;
static int64_t *people;
static size_t actor_count, people_count;

static void load(const char *sql) {
    sqlite3_stmt *statement = prepare(sql);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        actors = realloc(actors, (actor_count + 1) * sizeof *actors);
        struct actor *actor = &actors[actor_count++];
        actor->session = sqlite3_column_int64(statement, 0);
        actor->user = sqlite3_column_int64(statement, 1);
        actor->conversation = sqlite3_column_int64(statement, 2);
        actor->other = sqlite3_column_int64(statement, 3);
        const unsigned char *point = sqlite3_column_blob(statement, 4);
        if (point && sqlite3_column_bytes(statement, 4) == 60) {
            memcpy(&actor->longitude, point + 43, 8);
            memcpy(&actor->latitude, point + 51, 8);
        }
    }
    sqlite3_finalize(statement);
    if (actor_count == 0) fail("no person with a session");
    statement = prepare("SELECT id FROM profiles_users WHERE closed = 0 AND paused = 0 AND incognito = 0");
    while (sqlite3_step(statement) == SQLITE_ROW) {
        people = realloc(people, (people_count + 1) * sizeof *people);
        people[people_count++] = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
}

// Every write first checks its session, and every transaction counts itself.

static sqlite3_stmt *check_session, *count_commit, *has_device;

static void check(const struct actor *actor, int64_t now) {
    run(check_session, NULL, "iii", actor->session, actor->user, now - 30 * 86400000LL);
}

// A swipe: two of five are likes.

static sqlite3_stmt *visible, *relation, *decision, *spend, *spent, *begin_day, *forget_notices, *candidate, *notice, *put, *given, *received, *counts;

#define COUNTS "day, shown_before, shown, likes_given_before, passes_given_before, likes_received_before, " \
    "passes_received_before, likes_given, passes_given, likes_received, passes_received"
#define BEGIN_DAY "day = CASE WHEN day < ?2 THEN ?2 ELSE day END, " \
    "shown_before = CASE WHEN day = ?2 - 1 THEN shown WHEN day < ?2 THEN 0 ELSE shown_before END, " \
    "likes_given_before = CASE WHEN day < ?2 THEN likes_given ELSE likes_given_before END, " \
    "passes_given_before = CASE WHEN day < ?2 THEN passes_given ELSE passes_given_before END, " \
    "likes_received_before = CASE WHEN day < ?2 THEN likes_received ELSE likes_received_before END, " \
    "passes_received_before = CASE WHEN day < ?2 THEN passes_received ELSE passes_received_before END, " \
    "shown = CASE WHEN day < ?2 THEN 0 ELSE shown END, "
#define TALLY(side) "INSERT INTO matching_tallies (user_id, day, likes_" side ", passes_" side ") " \
    "VALUES (?1, ?2, CASE WHEN ?3 > 0 THEN ?3 ELSE 0 END, CASE WHEN ?4 > 0 THEN ?4 ELSE 0 END) " \
    "ON CONFLICT (user_id) DO UPDATE SET " BEGIN_DAY \
    "likes_" side " = CASE WHEN likes_" side " + ?3 > 0 THEN likes_" side " + ?3 ELSE 0 END, " \
    "passes_" side " = CASE WHEN passes_" side " + ?4 > 0 THEN passes_" side " + ?4 ELSE 0 END"

static void prepare_swipe(void) {
    load("SELECT id, user_id FROM accounts_sessions");
    visible = prepare("SELECT paused, incognito FROM profiles_users WHERE id = ?1 AND closed = 0");
    relation = prepare(
        "SELECT EXISTS (SELECT 1 FROM matching_blocks WHERE user_id = ?1 AND target_id = ?2)"
        " OR EXISTS (SELECT 1 FROM matching_blocks WHERE user_id = ?2 AND target_id = ?1),"
        " EXISTS (SELECT 1 FROM matching_swipes WHERE user_id = ?1 AND target_id = ?2 AND action IN (1, 2)),"
        " COALESCE((SELECT CASE WHEN ended_at IS NULL THEN 1 ELSE 2 END FROM matching_matches"
        " WHERE user_a = CASE WHEN ?1 < ?2 THEN ?1 ELSE ?2 END AND user_b = CASE WHEN ?1 < ?2 THEN ?2 ELSE ?1 END), 0)");
    decision = prepare("SELECT action, swiped_at, ordinal, is_announced FROM matching_swipes WHERE user_id = ?1 AND target_id = ?2");
    spend = prepare("UPDATE matching_spent SET likes = likes + 1 WHERE user_id = ?1 AND day = ?2 AND likes < ?3");
    spent = prepare("SELECT day FROM matching_spent WHERE user_id = ?1");
    begin_day = prepare("INSERT INTO matching_spent (user_id, day, likes, superlikes) VALUES (?1, ?2, 1, 0)"
        " ON CONFLICT (user_id) DO UPDATE SET day = excluded.day, likes = excluded.likes, superlikes = excluded.superlikes");
    forget_notices = prepare("DELETE FROM matching_like_notices WHERE user_id = ?1 AND day <> ?2");
    notice = prepare("SELECT day FROM matching_like_notices WHERE user_id = ?1 AND target_id = ?2");
    put = prepare(
        "INSERT INTO matching_swipes (user_id, target_id, action, swiped_at, ordinal, is_announced) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        " ON CONFLICT (user_id, target_id) DO UPDATE SET action = excluded.action, swiped_at = excluded.swiped_at,"
        " ordinal = excluded.ordinal, is_announced = excluded.is_announced");
    given = prepare(TALLY("given"));
    received = prepare(TALLY("received"));
    counts = prepare("SELECT " COUNTS " FROM matching_tallies WHERE user_id = ?1");
    candidate = prepare(
        "SELECT u.id, u.birth_date, u.gender, u.interested_in, u.min_age, u.max_age, u.max_distance_km, u.hard_age, u.hard_distance,"
        " u.paused, u.incognito, u.closed, u.last_active_at, u.location, u.interests, u.hide_distance, u.version,"
        " t.day, t.shown, t.likes_given, t.passes_given, t.likes_received, t.passes_received"
        " FROM profiles_users u LEFT JOIN matching_tallies t ON t.user_id = u.id WHERE u.id = ?1");
}

static void swipe(int64_t now) {
    static int64_t ordinal;
    const struct actor *actor = &actors[below(actor_count)];
    int64_t user = actor->user, target = people[below(people_count)], day = now / 86400000, like = below(5) < 2;
    if (target == user) return;
    check(actor, now);
    run(visible, NULL, "i", user);
    run(visible, NULL, "i", target);
    run(relation, NULL, "ii", target, user);
    if (run(decision, NULL, "ii", user, target) == like) return;
    if (like) {
        run(spend, NULL, "iii", user, day, (int64_t)100000);
        if (sqlite3_changes(database) == 0 && run(spent, NULL, "i", user) != day) {
            run(begin_day, NULL, "ii", user, day);
            run(forget_notices, NULL, "ii", user, day);
        }
        run(candidate, NULL, "i", user);
        run(candidate, NULL, "i", target);
        run(notice, NULL, "ii", user, target);
    }
    run(put, NULL, "iiiiii", user, target, like, now, ordinal++, like);
    run(given, NULL, "iiii", user, day, like, 1 - like);
    run(counts, NULL, "i", user);
    run(received, NULL, "iiii", target, day, like, 1 - like);
    run(counts, NULL, "i", target);
    if (like) run(has_device, NULL, "i", target);
}

// A message of 50 characters.

static sqlite3_stmt *known, *held, *live, *earlier, *insert, *extend, *last_offset, *append;

static void prepare_message(void) {
    load("SELECT s.id, s.user_id, c.id, CASE s.user_id WHEN c.user_a THEN c.user_b ELSE c.user_a END"
        " FROM chat_conversations c JOIN accounts_sessions s ON s.user_id IN (c.user_a, c.user_b) WHERE c.ended_at IS NULL");
    known = prepare("SELECT id, conversation_id, seq, sent_at FROM chat_messages WHERE sender_id = ?1 AND client_id = ?2");
    held = prepare("SELECT conversation_id FROM chat_held WHERE sender_id = ?1 AND client_id = ?2");
    live = prepare(
        "SELECT last_seq, opened_by, id, match_id, user_a, user_b, last_at, ended_at IS NOT NULL, a_read, b_read, a_received, b_received"
        " FROM chat_conversations WHERE id = ?1 AND ended_at IS NULL"
        " AND (SELECT closed FROM profiles_users WHERE profiles_users.id = chat_conversations.user_a) = 0"
        " AND (SELECT closed FROM profiles_users WHERE profiles_users.id = chat_conversations.user_b) = 0");
    earlier = prepare("SELECT 1 FROM chat_messages WHERE conversation_id = ?1 AND +sender_id = ?2 LIMIT 1");
    insert = prepare("INSERT INTO chat_messages (id, conversation_id, seq, sender_id, client_id, content, text, sent_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7)");
    extend = prepare("UPDATE chat_conversations SET last_seq = ?1, last_at = CASE WHEN last_at < ?2 THEN ?2 ELSE last_at END WHERE id = ?3");
    last_offset = prepare("SELECT coalesce((SELECT offset FROM spark_inbox WHERE user_id = ?1 ORDER BY offset DESC LIMIT 1),"
        " (SELECT offset FROM spark_inbox_floors WHERE user_id = ?1), 0)");
    append = prepare("INSERT INTO spark_inbox (user_id, offset, type, subject, ordinal, members, created_at)"
        " VALUES (?1, ?2, 'message', ?3, ?4, NULL, ?5)");
}

static void message(int64_t now) {
    static int64_t number;
    const struct actor *actor = &actors[below(actor_count)];
    int64_t both[] = {actor->user, actor->other}, row[4];
    char client_id[40];
    snprintf(client_id, sizeof client_id, "c-%lld-aaaaaaaaaaaaaaaa", (long long)++number);
    check(actor, now);
    run(known, NULL, "it", actor->user, client_id);
    run(held, NULL, "it", actor->user, client_id);
    if (run(live, row, "i", actor->conversation) < 0) return;
    int64_t seq = row[0] + 1, opener = row[1];
    if (opener != actor->user && row[0] <= 50) run(earlier, NULL, "ii", actor->conversation, actor->user);
    run(insert, NULL, "iiiitti", ((now - 1577836800000LL) << 22) + number, actor->conversation, seq, actor->user, client_id,
        "Shall we meet at the old bridge tomorrow at seven?", now);
    run(extend, NULL, "iii", seq, now, actor->conversation);
    for (int side = 0; side < 2; side++)
        run(append, NULL, "iiiii", both[side], run(last_offset, NULL, "i", both[side]) + 1, actor->conversation, seq, now);
    run(has_device, NULL, "i", actor->other);
}

// A move of some kilometres around the person's first place. SpatiaLite's triggers keep the R-tree.

static sqlite3_stmt *profile, *grid, *move_to;

static void prepare_move(void) {
    load("SELECT s.id, s.user_id, 0, 0, u.location FROM accounts_sessions s JOIN profiles_users u ON u.id = s.user_id");
    profile = prepare(
        "SELECT version, id, name, birth_date, gender, interested_in, about, interests, min_age, max_age, max_distance_km, hard_age, hard_distance,"
        " paused, incognito, hide_distance, closed, last_active_at, created_at, updated_at, cell, location_changed_at,"
        " location_window_start, location_window_count, location, location_correctable_until FROM profiles_users WHERE id = ?1");
    grid = prepare("SELECT cell_metres, hidden_cell_metres FROM profiles_grid WHERE id = 1");
    move_to = prepare(
        "UPDATE profiles_users SET updated_at = ?1, version = ?2, cell = ?3, location_changed_at = ?1, location_window_start = ?1,"
        " location_window_count = 1, location = ?4, location_correctable_until = ?1 WHERE id = ?5");
}

static void move(int64_t now) {
    const struct actor *actor = &actors[below(actor_count)];
    double place[2] = {actor->longitude + ((double)below(2001) - 1000) / 10000, actor->latitude + ((double)below(2001) - 1000) / 10000};
    // SpatiaLite's form of a point with SRID 4326: the bounds, then the point itself.
    unsigned char point[60] = {0, 1, 0xE6, 0x10};
    for (int part = 0; part < 2; part++) memcpy(point + 6 + 16 * part, place, 16);
    memcpy(point + 38, "\x7c\x01\0\0\0", 5);
    memcpy(point + 43, place, 16);
    point[59] = 0xFE;
    check(actor, now);
    int64_t version = run(profile, NULL, "i", actor->user);
    run(grid, NULL, "");
    run(move_to, NULL, "iiipi", now, version + 1, (int64_t)(place[0] * 1e6) << 32 | (uint32_t)(place[1] * 1e6), point, actor->user);
}

int main(int count, char **words) {
    if (count != 5) return fprintf(stderr, "usage: sqlite_harness DATABASE swipe|message|move SECONDS OPERATIONS_PER_TRANSACTION\n"), 2;
    const char *kind = words[2];
    double length = atof(words[3]);
    int per_transaction = atoi(words[4]);
    if (sqlite3_open_v2(words[1], &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) fail(words[1]);
    void *spatialite = spatialite_alloc_connection();
    spatialite_init_ex(database, spatialite, 0);
    execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;"
        "PRAGMA mmap_size = 268435456; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000; PRAGMA wal_autocheckpoint = 8192");
    check_session = prepare("SELECT 1 FROM accounts_sessions WHERE id = ?1 AND user_id = ?2 AND revoked_at IS NULL AND last_used_at > ?3");
    count_commit = prepare("UPDATE spark_commits SET commits = ?1");
    has_device = prepare("SELECT 1 FROM push_devices WHERE user_id = ?1 LIMIT 1");
    void (*operation)(int64_t) = strcmp(kind, "swipe") == 0 ? swipe : strcmp(kind, "message") == 0 ? message : move;
    if (operation == swipe) prepare_swipe();
    else if (operation == message) prepare_message();
    else prepare_move();
    sqlite3_stmt *begin = prepare("BEGIN IMMEDIATE"), *commit = prepare("COMMIT");
    int64_t operations = 0, commits = 1000000000;
    double start = seconds(CLOCK_MONOTONIC), processor = seconds(CLOCK_PROCESS_CPUTIME_ID), now = start;
    unsigned long long waits = disk_time->waits, nanoseconds = disk_time->nanoseconds;
    for (; now - start < length; now = seconds(CLOCK_MONOTONIC)) {
        run(begin, NULL, "");
        int64_t time = milliseconds();
        for (int number = 0; number < per_transaction; number++) operation(time);
        run(count_commit, NULL, "i", ++commits);
        run(commit, NULL, "");
        operations += per_transaction;
    }
    double elapsed = now - start, disk = (double)(disk_time->nanoseconds - nanoseconds) / 1e9;
    printf("{\"kind\":\"%s\",\"per_transaction\":%d,\"operations\":%lld,\"per_second\":%.0f,\"cpu_us\":%.2f,\"disk_us\":%.2f,"
           "\"disk_share\":%.3f,\"waits\":%llu}\n",
        kind, per_transaction, (long long)operations, (double)operations / elapsed,
        (seconds(CLOCK_PROCESS_CPUTIME_ID) - processor) / (double)operations * 1e6, disk / (double)operations * 1e6, disk / elapsed,
        disk_time->waits - waits);
    sqlite3_close_v2(database);
    spatialite_cleanup_ex(spatialite);
    return 0;
}
