import SparkStorage

/// The tables of this module. People of a demo town have no password hash, so nobody logs in as them by password. Tokens
/// are kept as hashes only: who reads the file can use none of them.
enum AccountsMigrations {
    static let all: [Migration] = [
        Migration(
            "accounts.001_accounts",
            sql: """
                CREATE TABLE accounts_users (
                    id INTEGER PRIMARY KEY,
                    email TEXT NOT NULL UNIQUE,
                    password_hash TEXT,
                    created_at INTEGER NOT NULL,
                    closed_at INTEGER
                ) STRICT;
                CREATE TABLE accounts_sessions (
                    id INTEGER PRIMARY KEY,
                    user_id INTEGER NOT NULL REFERENCES accounts_users (id),
                    created_at INTEGER NOT NULL,
                    last_used_at INTEGER NOT NULL,
                    revoked_at INTEGER,
                    label TEXT NOT NULL
                ) STRICT;
                CREATE INDEX accounts_sessions_user ON accounts_sessions (user_id, last_used_at);
                CREATE INDEX accounts_sessions_used ON accounts_sessions (last_used_at);
                CREATE TABLE accounts_refresh_tokens (
                    token_hash BLOB PRIMARY KEY,
                    session_id INTEGER NOT NULL REFERENCES accounts_sessions (id) ON DELETE CASCADE,
                    issued_at INTEGER NOT NULL,
                    expires_at INTEGER NOT NULL,
                    used_at INTEGER
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX accounts_refresh_tokens_session ON accounts_refresh_tokens (session_id, expires_at);
                """),
        Migration(
            "accounts.003_suspension",
            sql: """
                ALTER TABLE accounts_users ADD COLUMN suspended_at INTEGER;
                ALTER TABLE accounts_users ADD COLUMN suspension_reason TEXT;
                CREATE TABLE accounts_resets (
                    token_hash BLOB PRIMARY KEY,
                    user_id INTEGER NOT NULL REFERENCES accounts_users (id),
                    created_at INTEGER NOT NULL,
                    expires_at INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID;
                CREATE UNIQUE INDEX accounts_resets_user ON accounts_resets (user_id);
                -- That an identifier once belonged to somebody, and nothing else: who was erased can still be blocked and reported.
                CREATE TABLE accounts_erased (
                    id INTEGER PRIMARY KEY
                ) STRICT;
                """),
    ]
}
