import SparkStorage

/// The tables of Chat.
enum ChatMigrations {
    static let all = [
        Migration(
            "chat.001_tables",
            sql: """
                -- One row per match. Its indexes hold nothing that a message changes, so a message writes one page of it.
                CREATE TABLE chat_conversations (
                    id INTEGER PRIMARY KEY,
                    match_id INTEGER NOT NULL,
                    user_a INTEGER NOT NULL,
                    user_b INTEGER NOT NULL,
                    last_seq INTEGER NOT NULL DEFAULT 0,
                    last_at INTEGER NOT NULL,
                    opened_by INTEGER,
                    opened_at INTEGER,
                    ended_at INTEGER,
                    a_read INTEGER NOT NULL DEFAULT 0,
                    b_read INTEGER NOT NULL DEFAULT 0,
                    a_received INTEGER NOT NULL DEFAULT 0,
                    b_received INTEGER NOT NULL DEFAULT 0,
                    created_at INTEGER NOT NULL,
                    CHECK (user_a < user_b)
                ) STRICT;
                CREATE INDEX chat_conversations_a ON chat_conversations (user_a, user_b);
                CREATE INDEX chat_conversations_b ON chat_conversations (user_b);
                CREATE INDEX chat_conversations_opened ON chat_conversations (opened_by, opened_at)
                    WHERE opened_by IS NOT NULL;

                -- seq is dense from 1 in its conversation; retention takes from the low end. A deleted message keeps its row,
                -- with an empty text: its client_id must stay known.
                CREATE TABLE chat_messages (
                    id INTEGER PRIMARY KEY,
                    conversation_id INTEGER NOT NULL,
                    seq INTEGER NOT NULL,
                    sender_id INTEGER NOT NULL,
                    client_id TEXT NOT NULL,
                    content INTEGER NOT NULL,
                    text TEXT NOT NULL,
                    sent_at INTEGER NOT NULL,
                    edited_at INTEGER,
                    deleted_at INTEGER,
                    UNIQUE (conversation_id, seq),
                    UNIQUE (sender_id, client_id)
                ) STRICT;

                CREATE TABLE chat_reactions (
                    conversation_id INTEGER NOT NULL,
                    seq INTEGER NOT NULL,
                    user_id INTEGER NOT NULL,
                    reaction TEXT NOT NULL,
                    PRIMARY KEY (conversation_id, seq, user_id)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX chat_reactions_user ON chat_reactions (user_id);

                CREATE TABLE chat_held (
                    id INTEGER PRIMARY KEY,
                    conversation_id INTEGER NOT NULL,
                    sender_id INTEGER NOT NULL,
                    client_id TEXT NOT NULL,
                    content INTEGER NOT NULL,
                    text TEXT NOT NULL,
                    held_at INTEGER NOT NULL,
                    UNIQUE (sender_id, client_id)
                ) STRICT;
                CREATE INDEX chat_held_conversation ON chat_held (conversation_id);

                -- How far a user's devices have acknowledged the user's stream.
                CREATE TABLE chat_received (
                    user_id INTEGER PRIMARY KEY,
                    offset INTEGER NOT NULL
                ) STRICT;

                -- Words only, no texts. Filled in the background, up to the message in chat_search_progress.
                CREATE VIRTUAL TABLE chat_search USING fts5 (
                    members, text, content = '', tokenize = 'unicode61 remove_diacritics 2'
                );
                CREATE TABLE chat_search_progress (
                    id INTEGER PRIMARY KEY CHECK (id = 1),
                    message_id INTEGER NOT NULL
                ) STRICT;
                INSERT INTO chat_search_progress (id, message_id) VALUES (1, 0);

                \(adoptMatches)
                """),
        Migration(
            "chat.002_search_without_index",
            sql: """
                -- An index of words outlives the words: its segments keep those of deleted messages. Its pages are overwritten as
                -- they are freed.
                PRAGMA secure_delete = ON;
                DROP TABLE chat_search;
                -- Stays empty, so that a reader of the index's progress finds that nothing waits.
                DELETE FROM chat_search_progress;

                -- What a person sent on the last day on which they sent much. Written from time to time (`MessageQuota`).
                CREATE TABLE chat_usage (
                    user_id INTEGER PRIMARY KEY,
                    day INTEGER NOT NULL,
                    messages INTEGER NOT NULL,
                    bytes INTEGER NOT NULL
                ) STRICT;
                """),
        Migration(
            "chat.003_departures",
            sql: """
                -- When the account of user_a or user_b was closed or suspended; since then the conversation is over for the other one.
                ALTER TABLE chat_conversations ADD COLUMN a_gone_at INTEGER;
                ALTER TABLE chat_conversations ADD COLUMN b_gone_at INTEGER;
                -- Who was erased: 0 nobody, 1 user_a, 2 user_b. The row and the other one's messages stay until they are erased, too.
                ALTER TABLE chat_conversations ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;
                -- Messages of one of the two are erased or being erased.
                ALTER TABLE chat_conversations ADD COLUMN has_holes INTEGER NOT NULL DEFAULT 0;
                UPDATE chat_conversations SET a_gone_at = (SELECT updated_at FROM profiles_users WHERE id = user_a)
                    WHERE ended_at IS NULL AND user_a IN (SELECT id FROM profiles_users WHERE closed = 1);
                UPDATE chat_conversations SET b_gone_at = (SELECT updated_at FROM profiles_users WHERE id = user_b)
                    WHERE ended_at IS NULL AND user_b IN (SELECT id FROM profiles_users WHERE closed = 1);
                """),
    ]

    /// Creates a conversation for every match that has none.
    static let adoptMatches = """
        INSERT INTO chat_conversations (id, match_id, user_a, user_b, last_at, ended_at, created_at)
        SELECT conversation_id, id, user_a, user_b, created_at, ended_at, created_at FROM matching_matches
        WHERE conversation_id NOT IN (SELECT id FROM chat_conversations);
        """
}
