import SparkStorage

/// The tables of Profiles.
///
/// `profiles_users` has one row per person. `location` is the *published* place, computed from the cell and never from the exact
/// coordinate, which is not stored. The table cannot be STRICT, because SpatiaLite adds the geometry column with its own type;
/// constraints replace it.
enum ProfilesMigrations {
    static let all: [Migration] = [
        Migration("profiles.001_users") { session in
            try session.script(
                """
                CREATE TABLE profiles_users (
                    id INTEGER PRIMARY KEY,
                    name TEXT NOT NULL,
                    birth_date INTEGER NOT NULL,
                    gender INTEGER NOT NULL CHECK (gender BETWEEN 0 AND 2),
                    interested_in INTEGER NOT NULL CHECK (interested_in BETWEEN 1 AND 7),
                    about TEXT NOT NULL,
                    interests TEXT NOT NULL,
                    min_age INTEGER NOT NULL CHECK (min_age >= 18),
                    max_age INTEGER NOT NULL CHECK (max_age BETWEEN min_age AND 120),
                    max_distance_km INTEGER NOT NULL CHECK (max_distance_km BETWEEN 1 AND 20000),
                    hard_age INTEGER NOT NULL CHECK (hard_age IN (0, 1)),
                    hard_distance INTEGER NOT NULL CHECK (hard_distance IN (0, 1)),
                    paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
                    incognito INTEGER NOT NULL CHECK (incognito IN (0, 1)),
                    hide_distance INTEGER NOT NULL CHECK (hide_distance IN (0, 1)),
                    closed INTEGER NOT NULL CHECK (closed IN (0, 1)),
                    last_active_at INTEGER NOT NULL,
                    created_at INTEGER NOT NULL,
                    updated_at INTEGER NOT NULL,
                    version INTEGER NOT NULL,
                    cell INTEGER,
                    location_changed_at INTEGER,
                    location_window_start INTEGER,
                    location_window_count INTEGER NOT NULL DEFAULT 0
                );
                CREATE TABLE profiles_grid (
                    id INTEGER PRIMARY KEY CHECK (id = 1),
                    cell_metres INTEGER NOT NULL,
                    hidden_cell_metres INTEGER NOT NULL
                ) STRICT;
                """)
            // SpatiaLite's functions return 0 instead of failing, so the results are checked.
            let hasColumn = try session.value(
                "SELECT AddGeometryColumn('profiles_users', 'location', 4326, 'POINT', 'XY')", as: Int.self)
            let hasIndex = try session.value("SELECT CreateSpatialIndex('profiles_users', 'location')", as: Int.self)
            guard hasColumn == 1, hasIndex == 1 else {
                throw SQLError("SpatiaLite refused the geometry column of profiles_users")
            }
        },
        Migration(
            "profiles.002_location_correction",
            sql: """
                -- Until then a first place may be corrected at any speed.
                ALTER TABLE profiles_users ADD COLUMN location_correctable_until INTEGER;
                """),
    ]
}
