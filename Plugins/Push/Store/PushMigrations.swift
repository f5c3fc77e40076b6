import SparkStorage

/// The migrations of Push. No table holds message texts: a push's text is read when it is sent.
enum PushMigrations {
    static let all = [
        Migration(
            "push.001_tables",
            sql: """
                -- A token belongs to the person who registered it last, and to one of their sessions.
                CREATE TABLE push_devices (
                    id INTEGER PRIMARY KEY,
                    user_id INTEGER NOT NULL,
                    session_id INTEGER NOT NULL,
                    name TEXT NOT NULL,
                    service INTEGER NOT NULL,
                    token TEXT NOT NULL,
                    public_key BLOB NOT NULL,
                    secret BLOB NOT NULL,
                    is_sandbox INTEGER NOT NULL,
                    language TEXT NOT NULL,
                    registered_at INTEGER NOT NULL,
                    UNIQUE (user_id, name),
                    UNIQUE (service, token)
                ) STRICT;
                CREATE INDEX push_devices_session ON push_devices (session_id);

                -- Muted kinds are bits: 1 << kind. The count is of the day it names, in the person's time zone.
                CREATE TABLE push_settings (
                    user_id INTEGER PRIMARY KEY,
                    time_zone TEXT NOT NULL,
                    quiet_from INTEGER,
                    quiet_until INTEGER,
                    preview INTEGER NOT NULL,
                    muted_kinds INTEGER NOT NULL
                ) STRICT;
                CREATE TABLE push_days (
                    user_id INTEGER PRIMARY KEY,
                    day INTEGER NOT NULL,
                    sent INTEGER NOT NULL
                ) STRICT;
                CREATE TABLE push_mutes (
                    user_id INTEGER NOT NULL,
                    conversation_id INTEGER NOT NULL,
                    until INTEGER,
                    PRIMARY KEY (user_id, conversation_id)
                ) STRICT, WITHOUT ROWID;

                -- The outbox: what happened (by batch and subject), what is decided, and what is on its way to a device.
                CREATE TABLE push_batches (
                    id INTEGER PRIMARY KEY,
                    user_id INTEGER NOT NULL,
                    kind INTEGER NOT NULL,
                    opened_at INTEGER NOT NULL,
                    state INTEGER NOT NULL,
                    due_at INTEGER NOT NULL,
                    count INTEGER NOT NULL
                ) STRICT;
                CREATE UNIQUE INDEX push_batches_open ON push_batches (user_id, kind) WHERE state IN (0, 2, 3);
                CREATE INDEX push_batches_due ON push_batches (kind, due_at) WHERE state < 4;
                CREATE INDEX push_batches_user ON push_batches (user_id);
                CREATE TABLE push_events (
                    batch_id INTEGER NOT NULL,
                    subject_id INTEGER NOT NULL,
                    last_seq INTEGER NOT NULL,
                    PRIMARY KEY (batch_id, subject_id)
                ) STRICT, WITHOUT ROWID;

                -- Of the deliveries that replace each other on a device, one at a time is leased: they arrive in order. A
                -- complete one says all that an older one in its place would.
                CREATE TABLE push_deliveries (
                    id INTEGER PRIMARY KEY,
                    uuid TEXT NOT NULL,
                    batch_id INTEGER NOT NULL,
                    device_id INTEGER NOT NULL,
                    service INTEGER NOT NULL,
                    priority INTEGER NOT NULL,
                    collapse TEXT NOT NULL,
                    is_complete INTEGER NOT NULL,
                    created_at INTEGER NOT NULL,
                    next_at INTEGER NOT NULL,
                    expires_at INTEGER NOT NULL,
                    attempts INTEGER NOT NULL DEFAULT 0,
                    is_leased INTEGER NOT NULL DEFAULT 0
                ) STRICT;
                CREATE INDEX push_deliveries_due ON push_deliveries (service, priority, next_at) WHERE is_leased = 0;
                CREATE INDEX push_deliveries_leased ON push_deliveries (id) WHERE is_leased = 1;
                CREATE INDEX push_deliveries_batch ON push_deliveries (batch_id);
                CREATE INDEX push_deliveries_device ON push_deliveries (device_id, collapse);

                -- What devices of the provider `log` received.
                CREATE TABLE push_records (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    user_id INTEGER NOT NULL,
                    uuid TEXT NOT NULL UNIQUE,
                    device TEXT NOT NULL,
                    sent_at INTEGER NOT NULL,
                    content TEXT NOT NULL
                ) STRICT;
                CREATE INDEX push_records_user ON push_records (user_id);
                """),
        Migration(
            "push.002_pauses",
            sql: """
                -- Until when a provider, or one of the hosts that it reaches, asked to be left alone.
                CREATE TABLE push_pauses (
                    service INTEGER NOT NULL,
                    place TEXT NOT NULL,
                    paused_at INTEGER NOT NULL,
                    until_at INTEGER NOT NULL,
                    PRIMARY KEY (service, place)
                ) STRICT, WITHOUT ROWID;
                """),
    ]
}
