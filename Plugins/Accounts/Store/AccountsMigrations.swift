import SparkStorage

/// The migrations of this module. Users of a demo town have no password hash, so they cannot log in by password. Tokens
/// are stored as hashes only: a reader of the database file cannot use them.
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
        Migration("accounts.002_proof") { sql in
            try sql.script(
                """
                -- When the session's owner last gave the password.
                ALTER TABLE accounts_sessions ADD COLUMN confirmed_at INTEGER NOT NULL DEFAULT 0;
                UPDATE accounts_sessions SET confirmed_at = created_at;
                CREATE INDEX accounts_sessions_owner ON accounts_sessions (user_id, id);
                -- When the erasure of the account began; from then on it cannot come back.
                ALTER TABLE accounts_users ADD COLUMN erasing_at INTEGER;
                -- Keyed hashes of the networks from which an account signed in.
                CREATE TABLE accounts_known_networks (
                    user_id INTEGER NOT NULL,
                    network BLOB NOT NULL,
                    seen_at INTEGER NOT NULL,
                    PRIMARY KEY (user_id, network)
                ) STRICT, WITHOUT ROWID;
                """)
            try canonicaliseDomains(in: sql)
        },
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
                -- Identifiers of erased people, and nothing else: an erased person can still be blocked and reported.
                CREATE TABLE accounts_erased (
                    id INTEGER PRIMARY KEY
                ) STRICT;
                """),
    ]

    /// Converts addresses with an international domain to their canonical form. Where several accounts have the same address, the
    /// later ones keep their spelling, and lookups still find them by it.
    private static func canonicaliseDomains(in sql: SQLSession) throws {
        let accounts = try sql.rows(
            """
            SELECT id, email FROM accounts_users
            WHERE email GLOB '*[^ -~]*' OR email LIKE '%@xn--%' OR email LIKE '%.xn--%' ORDER BY id
            """
        ) { ($0.integer(0), $0.text(1)) }
        for (id, email) in accounts {
            let canonical = EmailAddress.normalised(email)
            guard canonical != email else { continue }
            try sql.run(
                """
                UPDATE accounts_users SET email = ?1
                WHERE id = ?2 AND NOT EXISTS (SELECT 1 FROM accounts_users WHERE email = ?1)
                """, canonical, id)
        }
    }
}
