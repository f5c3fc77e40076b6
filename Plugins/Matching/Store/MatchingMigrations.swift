import SparkStorage

/// The tables of Matching.
enum MatchingMigrations {
    static let all = [
        Migration(
            "matching.001_tables",
            sql: """
                -- ordinal counts a user's swipes within one millisecond: "the last swipe" is always one certain row.
                CREATE TABLE matching_swipes (
                    user_id INTEGER NOT NULL,
                    target_id INTEGER NOT NULL,
                    action INTEGER NOT NULL CHECK (action BETWEEN 0 AND 3),
                    swiped_at INTEGER NOT NULL,
                    ordinal INTEGER NOT NULL DEFAULT 0,
                    PRIMARY KEY (user_id, target_id),
                    CHECK (user_id <> target_id)
                ) STRICT, WITHOUT ROWID;
                -- Who liked me, newest first.
                CREATE INDEX matching_swipes_likes ON matching_swipes (target_id, swiped_at, user_id, action)
                    WHERE action IN (1, 2);
                -- Who passed on me, and what else erasure must find.
                CREATE INDEX matching_swipes_others ON matching_swipes (target_id, action, user_id)
                    WHERE action IN (0, 3);
                -- My last swipe, and how many of a kind today.
                CREATE INDEX matching_swipes_time ON matching_swipes (user_id, swiped_at, ordinal, action);

                CREATE TABLE matching_matches (
                    id INTEGER PRIMARY KEY,
                    conversation_id INTEGER NOT NULL,
                    user_a INTEGER NOT NULL,
                    user_b INTEGER NOT NULL,
                    created_at INTEGER NOT NULL,
                    ended_at INTEGER,
                    ended_by INTEGER,
                    UNIQUE (user_a, user_b),
                    CHECK (user_a < user_b)
                ) STRICT;
                CREATE INDEX matching_matches_a ON matching_matches (user_a, created_at, id);
                CREATE INDEX matching_matches_b ON matching_matches (user_b, created_at, id, user_a);

                CREATE TABLE matching_blocks (
                    user_id INTEGER NOT NULL,
                    target_id INTEGER NOT NULL,
                    blocked_at INTEGER NOT NULL,
                    PRIMARY KEY (user_id, target_id),
                    CHECK (user_id <> target_id)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX matching_blocks_target ON matching_blocks (target_id, user_id);
                CREATE INDEX matching_blocks_time ON matching_blocks (user_id, blocked_at, target_id);

                -- reporter_id is NULL once the reporter is erased.
                CREATE TABLE matching_reports (
                    id INTEGER PRIMARY KEY,
                    reporter_id INTEGER,
                    target_id INTEGER NOT NULL,
                    category TEXT NOT NULL,
                    text TEXT NOT NULL,
                    created_at INTEGER NOT NULL
                ) STRICT;
                CREATE INDEX matching_reports_reporter ON matching_reports (reporter_id);
                CREATE INDEX matching_reports_target ON matching_reports (target_id);
                """),
        Migration(
            "matching.002_tallies",
            sql: """
                -- How often a person decided, was decided about, and was in others' decks on a day: input of the score.
                CREATE TABLE matching_tallies (
                    user_id INTEGER PRIMARY KEY,
                    likes_given INTEGER NOT NULL DEFAULT 0,
                    passes_given INTEGER NOT NULL DEFAULT 0,
                    likes_received INTEGER NOT NULL DEFAULT 0,
                    passes_received INTEGER NOT NULL DEFAULT 0,
                    shown_day INTEGER NOT NULL DEFAULT 0,
                    shown INTEGER NOT NULL DEFAULT 0
                ) STRICT;
                \(SpatiaLiteMatchingStore.recount)
                """),
        Migration(
            "matching.003_acts",
            sql: """
                -- What a person spent on a UTC day. Undoing a like refunds nothing, so the swipes alone do not show it.
                CREATE TABLE matching_spent (
                    user_id INTEGER PRIMARY KEY,
                    day INTEGER NOT NULL,
                    likes INTEGER NOT NULL,
                    superlikes INTEGER NOT NULL
                ) STRICT;
                INSERT INTO matching_spent (user_id, day, likes, superlikes)
                    SELECT user_id, swiped_at / 86400000, SUM(action = 1), SUM(action = 2) FROM matching_swipes
                    WHERE action IN (1, 2)
                        AND swiped_at >= (SELECT MAX(swiped_at) FROM matching_swipes) / 86400000 * 86400000
                    GROUP BY user_id;

                -- The day on which a like between two people was last announced.
                CREATE TABLE matching_like_notices (
                    user_id INTEGER NOT NULL,
                    target_id INTEGER NOT NULL,
                    day INTEGER NOT NULL,
                    PRIMARY KEY (user_id, target_id)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX matching_like_notices_target ON matching_like_notices (target_id);

                -- Passes of an earlier day that were undone on this one: they count until the next draw, as they did before.
                CREATE TABLE matching_withdrawn_passes (
                    user_id INTEGER NOT NULL,
                    target_id INTEGER NOT NULL,
                    day INTEGER NOT NULL,
                    PRIMARY KEY (user_id, target_id)
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX matching_withdrawn_passes_target ON matching_withdrawn_passes (target_id, day, user_id);

                -- With the time, because a pass counts from the next day on.
                DROP INDEX matching_swipes_others;
                CREATE INDEX matching_swipes_others ON matching_swipes (target_id, action, swiped_at, user_id)
                    WHERE action IN (0, 3);
                """),
        Migration(
            "matching.004_daily_tallies",
            sql: """
                -- day is the day of the last change; columns that end in _before hold the values from when that day began.
                ALTER TABLE matching_tallies RENAME COLUMN shown_day TO day;
                ALTER TABLE matching_tallies ADD COLUMN shown_before INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE matching_tallies ADD COLUMN likes_given_before INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE matching_tallies ADD COLUMN passes_given_before INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE matching_tallies ADD COLUMN likes_received_before INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE matching_tallies ADD COLUMN passes_received_before INTEGER NOT NULL DEFAULT 0;
                \(SpatiaLiteMatchingStore.settleTallies)
                """),
        Migration(
            "matching.005_evidence",
            sql: """
                -- reporter_tag groups the reports of somebody who was erased: the lowest of their identifiers.
                ALTER TABLE matching_reports ADD COLUMN reporter_tag INTEGER;
                ALTER TABLE matching_reports ADD COLUMN closed_at INTEGER;
                ALTER TABLE matching_reports ADD COLUMN decision TEXT;
                ALTER TABLE matching_reports ADD COLUMN note TEXT;
                ALTER TABLE matching_reports ADD COLUMN is_target_erased INTEGER NOT NULL DEFAULT 0;
                CREATE INDEX matching_reports_open ON matching_reports (id) WHERE closed_at IS NULL;
                CREATE INDEX matching_matches_conversation ON matching_matches (conversation_id);

                -- What was true when a report was made. Erasure leaves it: it is kept for a time after the report or the decision.
                CREATE TABLE matching_evidence (
                    report_id INTEGER PRIMARY KEY,
                    target_id INTEGER NOT NULL,
                    statement TEXT NOT NULL,
                    profile_version INTEGER,
                    conversation_id INTEGER,
                    first_seq INTEGER,
                    last_seq INTEGER,
                    is_target_lower INTEGER NOT NULL,
                    captured_at INTEGER NOT NULL,
                    relevant_at INTEGER NOT NULL
                ) STRICT;
                CREATE INDEX matching_evidence_relevant ON matching_evidence (relevant_at);
                CREATE INDEX matching_evidence_conversation ON matching_evidence (conversation_id);
                CREATE INDEX matching_evidence_target ON matching_evidence (target_id);
                -- Each version of a profile and of a message once, however many reports refer to it.
                CREATE TABLE matching_evidence_profiles (
                    user_id INTEGER NOT NULL,
                    version INTEGER NOT NULL,
                    body TEXT NOT NULL,
                    PRIMARY KEY (user_id, version)
                ) STRICT, WITHOUT ROWID;
                -- The order of the two identifiers says who sent a message, so that no row names anybody.
                CREATE TABLE matching_evidence_messages (
                    id INTEGER PRIMARY KEY,
                    conversation_id INTEGER NOT NULL,
                    seq INTEGER NOT NULL,
                    is_from_lower INTEGER NOT NULL,
                    content INTEGER NOT NULL,
                    text TEXT NOT NULL,
                    sent_at INTEGER NOT NULL,
                    edited_at INTEGER,
                    is_deleted INTEGER NOT NULL,
                    captured_at INTEGER NOT NULL
                ) STRICT;
                CREATE INDEX matching_evidence_messages_place ON matching_evidence_messages (conversation_id, seq);
                """),
        Migration(
            "matching.006_departures",
            sql: """
                -- When the account of user_a or user_b was closed or suspended; since then the match is over for the other one.
                ALTER TABLE matching_matches ADD COLUMN a_gone_at INTEGER;
                ALTER TABLE matching_matches ADD COLUMN b_gone_at INTEGER;
                -- Who was erased: 0 nobody, 1 user_a, 2 user_b. The row stays until the other one is erased, too.
                ALTER TABLE matching_matches ADD COLUMN erased INTEGER NOT NULL DEFAULT 0;
                \(departures(in: "matching_matches"))
                """),
        Migration(
            "matching.007_announcements",
            sql: """
                -- Whether the like was announced to the target. If such a like ends, a notice stays until the day is over. A like that was
                -- made before this step has its notice already.
                ALTER TABLE matching_swipes ADD COLUMN is_announced INTEGER NOT NULL DEFAULT 0;
                -- Each swipe wrote it, and only the undoing of a swipe read it.
                DROP INDEX matching_swipes_time;
                """),
        Migration(
            "matching.008_index_mark",
            sql: """
                -- At most one row: the mark of the saved index, which the first change of the people in it removes.
                CREATE TABLE matching_index_mark (
                    id INTEGER PRIMARY KEY CHECK (id = 1),
                    mark BLOB NOT NULL
                ) STRICT;
                \(IndexMark.triggers)
                """),
    ]

    /// Records departures that happened before the columns existed, in a table of pairs.
    private static func departures(in table: String) -> String {
        ["a", "b"].map { side in
            """
            UPDATE \(table) SET \(side)_gone_at = (SELECT updated_at FROM profiles_users WHERE id = user_\(side))
            WHERE ended_at IS NULL AND user_\(side) IN (SELECT id FROM profiles_users WHERE closed = 1);
            """
        }.joined(separator: "\n")
    }
}
