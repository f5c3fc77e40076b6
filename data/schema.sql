-- The schema of a new database, written by `make schema` from the migrations, as schema.db has it. A test compares them.
-- SpatiaLite 5.0.1
-- migration spark.001_kernel
-- migration spark.002_mark
-- migration spark.003_stream
-- migration spark.004_commits
-- migration spark.005_audit
-- migration spark.006_grants
-- migration spark.007_spatial_triggers
-- migration accounts.001_accounts
-- migration accounts.002_proof
-- migration accounts.003_suspension
-- migration profiles.001_users
-- migration profiles.002_location_correction
-- migration matching.001_tables
-- migration matching.002_tallies
-- migration matching.003_acts
-- migration matching.004_daily_tallies
-- migration matching.005_evidence
-- migration matching.006_departures
-- migration matching.007_announcements
-- migration matching.008_index_mark
-- migration chat.001_tables
-- migration chat.002_search_without_index
-- migration chat.003_departures
-- migration push.001_tables
-- migration push.002_pauses
CREATE TABLE spatial_ref_sys (
srid INTEGER NOT NULL PRIMARY KEY,
auth_name TEXT NOT NULL,
auth_srid INTEGER NOT NULL,
ref_sys_name TEXT NOT NULL DEFAULT 'Unknown',
proj4text TEXT NOT NULL,
srtext TEXT NOT NULL DEFAULT 'Undefined');
INSERT INTO "spatial_ref_sys" ("srid", "auth_name", "auth_srid", "ref_sys_name", "proj4text", "srtext") VALUES (4326, 'epsg', 4326, 'WGS 84', '+proj=longlat +datum=WGS84 +no_defs', 'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]');
CREATE UNIQUE INDEX idx_spatial_ref_sys 
ON spatial_ref_sys (auth_srid, auth_name);
CREATE TABLE spatialite_history (
event_id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
table_name TEXT NOT NULL,
geometry_column TEXT,
event TEXT NOT NULL,
timestamp TEXT NOT NULL,
ver_sqlite TEXT NOT NULL,
ver_splite TEXT NOT NULL);
CREATE TABLE geometry_columns (
f_table_name TEXT NOT NULL,
f_geometry_column TEXT NOT NULL,
geometry_type INTEGER NOT NULL,
coord_dimension INTEGER NOT NULL,
srid INTEGER NOT NULL,
spatial_index_enabled INTEGER NOT NULL,
CONSTRAINT pk_geom_cols PRIMARY KEY (f_table_name, f_geometry_column),
CONSTRAINT fk_gc_srs FOREIGN KEY (srid) REFERENCES spatial_ref_sys (srid),
CONSTRAINT ck_gc_rtree CHECK (spatial_index_enabled IN (0,1,2)));
INSERT INTO "geometry_columns" ("f_table_name", "f_geometry_column", "geometry_type", "coord_dimension", "srid", "spatial_index_enabled") VALUES ('profiles_users', 'location', 1, 2, 4326, 1);
CREATE INDEX idx_srid_geocols ON geometry_columns
(srid) ;
CREATE VIEW geom_cols_ref_sys AS
SELECT f_table_name, f_geometry_column, geometry_type,
coord_dimension, spatial_ref_sys.srid AS srid,
auth_name, auth_srid, ref_sys_name, proj4text, srtext
FROM geometry_columns, spatial_ref_sys
WHERE geometry_columns.srid = spatial_ref_sys.srid;
CREATE TABLE views_geometry_columns (
view_name TEXT NOT NULL,
view_geometry TEXT NOT NULL,
view_rowid TEXT NOT NULL,
f_table_name TEXT NOT NULL,
f_geometry_column TEXT NOT NULL,
read_only INTEGER NOT NULL,
CONSTRAINT pk_geom_cols_views PRIMARY KEY (view_name, view_geometry),
CONSTRAINT fk_views_geom_cols FOREIGN KEY (f_table_name, f_geometry_column) REFERENCES geometry_columns (f_table_name, f_geometry_column) ON DELETE CASCADE,
CONSTRAINT ck_vw_rdonly CHECK (read_only IN (0,1)));
CREATE INDEX idx_viewsjoin ON views_geometry_columns
(f_table_name, f_geometry_column);
CREATE TABLE virts_geometry_columns (
virt_name TEXT NOT NULL,
virt_geometry TEXT NOT NULL,
geometry_type INTEGER NOT NULL,
coord_dimension INTEGER NOT NULL,
srid INTEGER NOT NULL,
CONSTRAINT pk_geom_cols_virts PRIMARY KEY (virt_name, virt_geometry),
CONSTRAINT fk_vgc_srid FOREIGN KEY (srid) REFERENCES spatial_ref_sys (srid));
CREATE INDEX idx_virtssrid ON virts_geometry_columns
(srid);
CREATE TABLE geometry_columns_statistics (
f_table_name TEXT NOT NULL,
f_geometry_column TEXT NOT NULL,
last_verified TIMESTAMP,
row_count INTEGER,
extent_min_x DOUBLE,
extent_min_y DOUBLE,
extent_max_x DOUBLE,
extent_max_y DOUBLE,
CONSTRAINT pk_gc_statistics PRIMARY KEY (f_table_name, f_geometry_column),
CONSTRAINT fk_gc_statistics FOREIGN KEY (f_table_name, f_geometry_column) REFERENCES geometry_columns (f_table_name, f_geometry_column) ON DELETE CASCADE);
INSERT INTO "geometry_columns_statistics" ("f_table_name", "f_geometry_column", "last_verified", "row_count", "extent_min_x", "extent_min_y", "extent_max_x", "extent_max_y") VALUES ('profiles_users', 'location', NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE views_geometry_columns_statistics (
view_name TEXT NOT NULL,
view_geometry TEXT NOT NULL,
last_verified TIMESTAMP,
row_count INTEGER,
extent_min_x DOUBLE,
extent_min_y DOUBLE,
extent_max_x DOUBLE,
extent_max_y DOUBLE,
CONSTRAINT pk_vwgc_statistics PRIMARY KEY (view_name, view_geometry),
CONSTRAINT fk_vwgc_statistics FOREIGN KEY (view_name, view_geometry) REFERENCES views_geometry_columns (view_name, view_geometry) ON DELETE CASCADE);
CREATE TABLE virts_geometry_columns_statistics (
virt_name TEXT NOT NULL,
virt_geometry TEXT NOT NULL,
last_verified TIMESTAMP,
row_count INTEGER,
extent_min_x DOUBLE,
extent_min_y DOUBLE,
extent_max_x DOUBLE,
extent_max_y DOUBLE,
CONSTRAINT pk_vrtgc_statistics PRIMARY KEY (virt_name, virt_geometry),
CONSTRAINT fk_vrtgc_statistics FOREIGN KEY (virt_name, virt_geometry) REFERENCES virts_geometry_columns (virt_name, virt_geometry) ON DELETE CASCADE);
CREATE TABLE geometry_columns_field_infos (
f_table_name TEXT NOT NULL,
f_geometry_column TEXT NOT NULL,
ordinal INTEGER NOT NULL,
column_name TEXT NOT NULL,
null_values INTEGER NOT NULL,
integer_values INTEGER NOT NULL,
double_values INTEGER NOT NULL,
text_values INTEGER NOT NULL,
blob_values INTEGER NOT NULL,
max_size INTEGER,
integer_min INTEGER,
integer_max INTEGER,
double_min DOUBLE,
double_max DOUBLE,
CONSTRAINT pk_gcfld_infos PRIMARY KEY (f_table_name, f_geometry_column, ordinal, column_name),
CONSTRAINT fk_gcfld_infos FOREIGN KEY (f_table_name, f_geometry_column) REFERENCES geometry_columns (f_table_name, f_geometry_column) ON DELETE CASCADE);
CREATE TABLE views_geometry_columns_field_infos (
view_name TEXT NOT NULL,
view_geometry TEXT NOT NULL,
ordinal INTEGER NOT NULL,
column_name TEXT NOT NULL,
null_values INTEGER NOT NULL,
integer_values INTEGER NOT NULL,
double_values INTEGER NOT NULL,
text_values INTEGER NOT NULL,
blob_values INTEGER NOT NULL,
max_size INTEGER,
integer_min INTEGER,
integer_max INTEGER,
double_min DOUBLE,
double_max DOUBLE,
CONSTRAINT pk_vwgcfld_infos PRIMARY KEY (view_name, view_geometry, ordinal, column_name),
CONSTRAINT fk_vwgcfld_infos FOREIGN KEY (view_name, view_geometry) REFERENCES views_geometry_columns (view_name, view_geometry) ON DELETE CASCADE);
CREATE TABLE virts_geometry_columns_field_infos (
virt_name TEXT NOT NULL,
virt_geometry TEXT NOT NULL,
ordinal INTEGER NOT NULL,
column_name TEXT NOT NULL,
null_values INTEGER NOT NULL,
integer_values INTEGER NOT NULL,
double_values INTEGER NOT NULL,
text_values INTEGER NOT NULL,
blob_values INTEGER NOT NULL,
max_size INTEGER,
integer_min INTEGER,
integer_max INTEGER,
double_min DOUBLE,
double_max DOUBLE,
CONSTRAINT pk_vrtgcfld_infos PRIMARY KEY (virt_name, virt_geometry, ordinal, column_name),
CONSTRAINT fk_vrtgcfld_infos FOREIGN KEY (virt_name, virt_geometry) REFERENCES virts_geometry_columns (virt_name, virt_geometry) ON DELETE CASCADE);
CREATE TABLE geometry_columns_time (
f_table_name TEXT NOT NULL,
f_geometry_column TEXT NOT NULL,
last_insert TIMESTAMP NOT NULL DEFAULT '0000-01-01T00:00:00.000Z',
last_update TIMESTAMP NOT NULL DEFAULT '0000-01-01T00:00:00.000Z',
last_delete TIMESTAMP NOT NULL DEFAULT '0000-01-01T00:00:00.000Z',
CONSTRAINT pk_gc_time PRIMARY KEY (f_table_name, f_geometry_column),
CONSTRAINT fk_gc_time FOREIGN KEY (f_table_name, f_geometry_column) REFERENCES geometry_columns (f_table_name, f_geometry_column) ON DELETE CASCADE);
INSERT INTO "geometry_columns_time" ("f_table_name", "f_geometry_column", "last_insert", "last_update", "last_delete") VALUES ('profiles_users', 'location', '0000-01-01T00:00:00.000Z', '0000-01-01T00:00:00.000Z', '0000-01-01T00:00:00.000Z');
CREATE TABLE geometry_columns_auth (
f_table_name TEXT NOT NULL,
f_geometry_column TEXT NOT NULL,
read_only INTEGER NOT NULL,
hidden INTEGER NOT NULL,
CONSTRAINT pk_gc_auth PRIMARY KEY (f_table_name, f_geometry_column),
CONSTRAINT fk_gc_auth FOREIGN KEY (f_table_name, f_geometry_column) REFERENCES geometry_columns (f_table_name, f_geometry_column) ON DELETE CASCADE,
CONSTRAINT ck_gc_ronly CHECK (read_only IN (0,1)),
CONSTRAINT ck_gc_hidden CHECK (hidden IN (0,1)));
INSERT INTO "geometry_columns_auth" ("f_table_name", "f_geometry_column", "read_only", "hidden") VALUES ('profiles_users', 'location', 0, 0);
CREATE TABLE views_geometry_columns_auth (
view_name TEXT NOT NULL,
view_geometry TEXT NOT NULL,
hidden INTEGER NOT NULL,
CONSTRAINT pk_vwgc_auth PRIMARY KEY (view_name, view_geometry),
CONSTRAINT fk_vwgc_auth FOREIGN KEY (view_name, view_geometry) REFERENCES views_geometry_columns (view_name, view_geometry) ON DELETE CASCADE,
CONSTRAINT ck_vwgc_hidden CHECK (hidden IN (0,1)));
CREATE TABLE virts_geometry_columns_auth (
virt_name TEXT NOT NULL,
virt_geometry TEXT NOT NULL,
hidden INTEGER NOT NULL,
CONSTRAINT pk_vrtgc_auth PRIMARY KEY (virt_name, virt_geometry),
CONSTRAINT fk_vrtgc_auth FOREIGN KEY (virt_name, virt_geometry) REFERENCES virts_geometry_columns (virt_name, virt_geometry) ON DELETE CASCADE,
CONSTRAINT ck_vrtgc_hidden CHECK (hidden IN (0,1)));
CREATE VIEW vector_layers AS
SELECT 'SpatialTable' AS layer_type, f_table_name AS table_name, f_geometry_column AS geometry_column, geometry_type AS geometry_type, coord_dimension AS coord_dimension, srid AS srid, spatial_index_enabled AS spatial_index_enabled
FROM geometry_columns
UNION
SELECT 'SpatialView' AS layer_type, a.view_name AS table_name, a.view_geometry AS geometry_column, b.geometry_type AS geometry_type, b.coord_dimension AS coord_dimension, b.srid AS srid, b.spatial_index_enabled AS spatial_index_enabled
FROM views_geometry_columns AS a
LEFT JOIN geometry_columns AS b ON (Upper(a.f_table_name) = Upper(b.f_table_name) AND Upper(a.f_geometry_column) = Upper(b.f_geometry_column))
UNION
SELECT 'VirtualShape' AS layer_type, virt_name AS table_name, virt_geometry AS geometry_column, geometry_type AS geometry_type, coord_dimension AS coord_dimension, srid AS srid, 0 AS spatial_index_enabled
FROM virts_geometry_columns;
CREATE VIEW vector_layers_auth AS
SELECT 'SpatialTable' AS layer_type, f_table_name AS table_name, f_geometry_column AS geometry_column, read_only AS read_only, hidden AS hidden
FROM geometry_columns_auth
UNION
SELECT 'SpatialView' AS layer_type, a.view_name AS table_name, a.view_geometry AS geometry_column, b.read_only AS read_only, a.hidden AS hidden
FROM views_geometry_columns_auth AS a
JOIN views_geometry_columns AS b ON (Upper(a.view_name) = Upper(b.view_name) AND Upper(a.view_geometry) = Upper(b.view_geometry))
UNION
SELECT 'VirtualShape' AS layer_type, virt_name AS table_name, virt_geometry AS geometry_column, 1 AS read_only, hidden AS hidden
FROM virts_geometry_columns_auth;
CREATE VIEW vector_layers_statistics AS
SELECT 'SpatialTable' AS layer_type, f_table_name AS table_name, f_geometry_column AS geometry_column, last_verified AS last_verified, row_count AS row_count, extent_min_x AS extent_min_x, extent_min_y AS extent_min_y, extent_max_x AS extent_max_x, extent_max_y AS extent_max_y
FROM geometry_columns_statistics
UNION
SELECT 'SpatialView' AS layer_type, view_name AS table_name, view_geometry AS geometry_column, last_verified AS last_verified, row_count AS row_count, extent_min_x AS extent_min_x, extent_min_y AS extent_min_y, extent_max_x AS extent_max_x, extent_max_y AS extent_max_y
FROM views_geometry_columns_statistics
UNION
SELECT 'VirtualShape' AS layer_type, virt_name AS table_name, virt_geometry AS geometry_column, last_verified AS last_verified, row_count AS row_count, extent_min_x AS extent_min_x, extent_min_y AS extent_min_y, extent_max_x AS extent_max_x, extent_max_y AS extent_max_y
FROM virts_geometry_columns_statistics;
CREATE VIEW vector_layers_field_infos AS
SELECT 'SpatialTable' AS layer_type, f_table_name AS table_name, f_geometry_column AS geometry_column, ordinal AS ordinal, column_name AS column_name, null_values AS null_values, integer_values AS integer_values, double_values AS double_values, text_values AS text_values, blob_values AS blob_values, max_size AS max_size, integer_min AS integer_min, integer_max AS integer_max, double_min AS double_min, double_max double_max
FROM geometry_columns_field_infos
UNION
SELECT 'SpatialView' AS layer_type, view_name AS table_name, view_geometry AS geometry_column, ordinal AS ordinal, column_name AS column_name, null_values AS null_values, integer_values AS integer_values, double_values AS double_values, text_values AS text_values, blob_values AS blob_values, max_size AS max_size, integer_min AS integer_min, integer_max AS integer_max, double_min AS double_min, double_max double_max
FROM views_geometry_columns_field_infos
UNION
SELECT 'VirtualShape' AS layer_type, virt_name AS table_name, virt_geometry AS geometry_column, ordinal AS ordinal, column_name AS column_name, null_values AS null_values, integer_values AS integer_values, double_values AS double_values, text_values AS text_values, blob_values AS blob_values, max_size AS max_size, integer_min AS integer_min, integer_max AS integer_max, double_min AS double_min, double_max double_max
FROM virts_geometry_columns_field_infos;
CREATE TABLE data_licenses (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	name TEXT NOT NULL UNIQUE,
	url TEXT);
INSERT INTO "data_licenses" ("id", "name", "url") VALUES (0, 'Undefined', NULL);
INSERT INTO "data_licenses" ("id", "name", "url") VALUES (1, 'Proprietary - Non Free', NULL);
INSERT INTO "data_licenses" ("id", "name", "url") VALUES (2, 'PD - Public Domain', NULL);
INSERT INTO "data_licenses" ("id", "name", "url") VALUES (3, 'CC0 1.0', 'https://creativecommons.org/publicdomain/zero/1.0/legalcode.txt');
INSERT INTO "data_licenses" ("id", "name", "url") VALUES (4, 'CC BY 3.0', 'https://creativecommons.org/licenses/by/3.0/legalcode.txt');
INSERT INTO "data_licenses" ("id", "name", "url") VALUES (5, 'CC BY 4.0', 'https://creativecommons.org/licenses/by/4.0/legalcode.txt');
INSERT INTO "data_licenses" ("id", "name", "url") VALUES (6, 'CC BY-SA 3.0', 'https://creativecommons.org/licenses/by-sa/3.0/legalcode.txt');
INSERT INTO "data_licenses" ("id", "name", "url") VALUES (7, 'CC BY-SA 4.0', 'https://creativecommons.org/licenses/by-sa/4.0/legalcode.txt');
INSERT INTO "data_licenses" ("id", "name", "url") VALUES (8, 'CC BY-SA-NC 3.0', 'https://creativecommons.org/licenses/by-nc-sa/3.0/legalcode.txt');
INSERT INTO "data_licenses" ("id", "name", "url") VALUES (9, 'CC BY-SA-NC 4.0', 'https://creativecommons.org/licenses/by-nc-sa/4.0/legalcode.txt');
CREATE TABLE sql_statements_log (
id INTEGER PRIMARY KEY AUTOINCREMENT,
time_start TIMESTAMP NOT NULL DEFAULT '0000-01-01T00:00:00.000Z',
time_end TIMESTAMP NOT NULL DEFAULT '0000-01-01T00:00:00.000Z',
user_agent TEXT NOT NULL,
sql_statement TEXT NOT NULL,
success INTEGER NOT NULL DEFAULT 0,
error_cause TEXT NOT NULL DEFAULT 'ABORTED',
CONSTRAINT sqllog_success CHECK (success IN (0,1)));
CREATE VIRTUAL TABLE SpatialIndex USING VirtualSpatialIndex();
CREATE VIRTUAL TABLE ElementaryGeometries USING VirtualElementary();
CREATE VIRTUAL TABLE KNN USING VirtualKNN();
CREATE TABLE spatial_ref_sys_aux (
	srid INTEGER NOT NULL PRIMARY KEY,
	is_geographic INTEGER,
	has_flipped_axes INTEGER,
	spheroid TEXT,
	prime_meridian TEXT,
	datum TEXT,
	projection TEXT,
	unit TEXT,
	axis_1_name TEXT,
	axis_1_orientation TEXT,
	axis_2_name TEXT,
	axis_2_orientation TEXT,
	CONSTRAINT fk_sprefsys FOREIGN KEY (srid) 	REFERENCES spatial_ref_sys (srid));
INSERT INTO "spatial_ref_sys_aux" ("srid", "is_geographic", "has_flipped_axes", "spheroid", "prime_meridian", "datum", "projection", "unit", "axis_1_name", "axis_1_orientation", "axis_2_name", "axis_2_orientation") VALUES (4326, 1, 1, 'WGS 84', 'Greenwich', 'WGS_1984', 'none', 'degree', 'Geodetic latitude', 'North', 'East', NULL);
CREATE VIEW spatial_ref_sys_all AS
SELECT a.srid AS srid, a.auth_name AS auth_name, a.auth_srid AS auth_srid, a.ref_sys_name AS ref_sys_name,
b.is_geographic AS is_geographic, b.has_flipped_axes AS has_flipped_axes, b.spheroid AS spheroid, b.prime_meridian AS prime_meridian, b.datum AS datum, b.projection AS projection, b.unit AS unit,
b.axis_1_name AS axis_1_name, b.axis_1_orientation AS axis_1_orientation,
b.axis_2_name AS axis_2_name, b.axis_2_orientation AS axis_2_orientation,
a.proj4text AS proj4text, a.srtext AS srtext
FROM spatial_ref_sys AS a
LEFT JOIN spatial_ref_sys_aux AS b ON (a.srid = b.srid);
CREATE TABLE spark_outbox (
    id INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    available_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX spark_outbox_available ON spark_outbox (available_at);
CREATE TABLE spark_idempotency (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    answer BLOB, holder INTEGER,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX spark_idempotency_created ON spark_idempotency (created_at);
CREATE TABLE spark_mark (id INTEGER PRIMARY KEY CHECK (id = 1), mark TEXT NOT NULL) STRICT;
CREATE TABLE spark_inbox (
    user_id INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    type TEXT NOT NULL,
    subject INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    members BLOB,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, offset)
) STRICT, WITHOUT ROWID;
CREATE TABLE spark_inbox_floors (
    user_id INTEGER PRIMARY KEY,
    offset INTEGER NOT NULL
) STRICT;
CREATE TABLE spark_epoch (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch TEXT NOT NULL
) STRICT;
CREATE TABLE spark_commits (id INTEGER PRIMARY KEY CHECK (id = 1), commits INTEGER NOT NULL) STRICT;
INSERT INTO "spark_commits" ("id", "commits") VALUES (1, 0);
CREATE TABLE spark_audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subjects TEXT NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE TRIGGER spark_audit_is_not_changed BEFORE UPDATE ON spark_audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER spark_audit_is_not_shortened BEFORE DELETE ON spark_audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE INDEX spark_idempotency_holder ON spark_idempotency (holder) WHERE holder IS NOT NULL;
CREATE TABLE accounts_users (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    password_hash TEXT,
    created_at INTEGER NOT NULL,
    closed_at INTEGER
, erasing_at INTEGER, suspended_at INTEGER, suspension_reason TEXT) STRICT;
CREATE TABLE accounts_sessions (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES accounts_users (id),
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    revoked_at INTEGER,
    label TEXT NOT NULL
, confirmed_at INTEGER NOT NULL DEFAULT 0) STRICT;
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
CREATE INDEX accounts_sessions_owner ON accounts_sessions (user_id, id);
CREATE TABLE accounts_known_networks (
    user_id INTEGER NOT NULL,
    network BLOB NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, network)
) STRICT, WITHOUT ROWID;
CREATE TABLE accounts_resets (
    token_hash BLOB PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES accounts_users (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX accounts_resets_user ON accounts_resets (user_id);
CREATE TABLE accounts_erased (
    id INTEGER PRIMARY KEY
) STRICT;
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
, "location" POINT, location_correctable_until INTEGER);
CREATE TABLE profiles_grid (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    cell_metres INTEGER NOT NULL,
    hidden_cell_metres INTEGER NOT NULL
) STRICT;
CREATE TRIGGER "ggi_profiles_users_location" BEFORE INSERT ON "profiles_users"
FOR EACH ROW BEGIN
SELECT RAISE(ROLLBACK, 'profiles_users.location violates Geometry constraint [geom-type or SRID not allowed]')
WHERE (SELECT geometry_type FROM geometry_columns
WHERE Lower(f_table_name) = Lower('profiles_users') AND Lower(f_geometry_column) = Lower('location')
AND GeometryConstraints(NEW."location", geometry_type, srid) = 1) IS NULL;
END;
CREATE TRIGGER "ggu_profiles_users_location" BEFORE UPDATE OF "location" ON "profiles_users"
FOR EACH ROW BEGIN
SELECT RAISE(ROLLBACK, 'profiles_users.location violates Geometry constraint [geom-type or SRID not allowed]')
WHERE (SELECT geometry_type FROM geometry_columns
WHERE Lower(f_table_name) = Lower('profiles_users') AND Lower(f_geometry_column) = Lower('location')
AND GeometryConstraints(NEW."location", geometry_type, srid) = 1) IS NULL;
END;
CREATE TRIGGER "tmu_profiles_users_location" AFTER UPDATE ON "profiles_users"
FOR EACH ROW BEGIN
UPDATE geometry_columns_time SET last_update = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
WHERE Lower(f_table_name) = Lower('profiles_users') AND Lower(f_geometry_column) = Lower('location');
END;
CREATE TRIGGER "tmi_profiles_users_location" AFTER INSERT ON "profiles_users"
FOR EACH ROW BEGIN
UPDATE geometry_columns_time SET last_insert = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
WHERE Lower(f_table_name) = Lower('profiles_users') AND Lower(f_geometry_column) = Lower('location');
END;
CREATE TRIGGER "tmd_profiles_users_location" AFTER DELETE ON "profiles_users"
FOR EACH ROW BEGIN
UPDATE geometry_columns_time SET last_delete = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
WHERE Lower(f_table_name) = Lower('profiles_users') AND Lower(f_geometry_column) = Lower('location');
END;
CREATE TRIGGER "gii_profiles_users_location" AFTER INSERT ON "profiles_users"
FOR EACH ROW BEGIN
DELETE FROM "idx_profiles_users_location" WHERE pkid=NEW.ROWID;
SELECT RTreeAlign('idx_profiles_users_location', NEW.ROWID, NEW."location");
END;
CREATE TRIGGER "giu_profiles_users_location" AFTER UPDATE OF "location" ON "profiles_users"
FOR EACH ROW BEGIN
DELETE FROM "idx_profiles_users_location" WHERE pkid=NEW.ROWID;
SELECT RTreeAlign('idx_profiles_users_location', NEW.ROWID, NEW."location");
END;
CREATE TRIGGER "gid_profiles_users_location" AFTER DELETE ON "profiles_users"
FOR EACH ROW BEGIN
DELETE FROM "idx_profiles_users_location" WHERE pkid=OLD.ROWID;
END;
CREATE VIRTUAL TABLE "idx_profiles_users_location" USING rtree(pkid, xmin, xmax, ymin, ymax);
CREATE TABLE matching_swipes (
    user_id INTEGER NOT NULL,
    target_id INTEGER NOT NULL,
    action INTEGER NOT NULL CHECK (action BETWEEN 0 AND 3),
    swiped_at INTEGER NOT NULL,
    ordinal INTEGER NOT NULL DEFAULT 0, is_announced INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, target_id),
    CHECK (user_id <> target_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX matching_swipes_likes ON matching_swipes (target_id, swiped_at, user_id, action)
    WHERE action IN (1, 2);
CREATE TABLE matching_matches (
    id INTEGER PRIMARY KEY,
    conversation_id INTEGER NOT NULL,
    user_a INTEGER NOT NULL,
    user_b INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    ended_by INTEGER, a_gone_at INTEGER, b_gone_at INTEGER, erased INTEGER NOT NULL DEFAULT 0,
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
CREATE TABLE matching_reports (
    id INTEGER PRIMARY KEY,
    reporter_id INTEGER,
    target_id INTEGER NOT NULL,
    category TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at INTEGER NOT NULL
, reporter_tag INTEGER, closed_at INTEGER, decision TEXT, note TEXT, is_target_erased INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX matching_reports_reporter ON matching_reports (reporter_id);
CREATE INDEX matching_reports_target ON matching_reports (target_id);
CREATE TABLE matching_tallies (
    user_id INTEGER PRIMARY KEY,
    likes_given INTEGER NOT NULL DEFAULT 0,
    passes_given INTEGER NOT NULL DEFAULT 0,
    likes_received INTEGER NOT NULL DEFAULT 0,
    passes_received INTEGER NOT NULL DEFAULT 0,
    day INTEGER NOT NULL DEFAULT 0,
    shown INTEGER NOT NULL DEFAULT 0
, shown_before INTEGER NOT NULL DEFAULT 0, likes_given_before INTEGER NOT NULL DEFAULT 0, passes_given_before INTEGER NOT NULL DEFAULT 0, likes_received_before INTEGER NOT NULL DEFAULT 0, passes_received_before INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE matching_spent (
    user_id INTEGER PRIMARY KEY,
    day INTEGER NOT NULL,
    likes INTEGER NOT NULL,
    superlikes INTEGER NOT NULL
) STRICT;
CREATE TABLE matching_like_notices (
    user_id INTEGER NOT NULL,
    target_id INTEGER NOT NULL,
    day INTEGER NOT NULL,
    PRIMARY KEY (user_id, target_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX matching_like_notices_target ON matching_like_notices (target_id);
CREATE TABLE matching_withdrawn_passes (
    user_id INTEGER NOT NULL,
    target_id INTEGER NOT NULL,
    day INTEGER NOT NULL,
    PRIMARY KEY (user_id, target_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX matching_withdrawn_passes_target ON matching_withdrawn_passes (target_id, day, user_id);
CREATE INDEX matching_swipes_others ON matching_swipes (target_id, action, swiped_at, user_id)
    WHERE action IN (0, 3);
CREATE INDEX matching_reports_open ON matching_reports (id) WHERE closed_at IS NULL;
CREATE INDEX matching_matches_conversation ON matching_matches (conversation_id);
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
CREATE TABLE matching_evidence_profiles (
    user_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (user_id, version)
) STRICT, WITHOUT ROWID;
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
CREATE TABLE matching_index_mark (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    mark BLOB NOT NULL
) STRICT;
CREATE TRIGGER matching_index_mark_profiles_users_insert AFTER insert ON profiles_users
WHEN EXISTS (SELECT 1 FROM matching_index_mark) BEGIN DELETE FROM matching_index_mark; END;
CREATE TRIGGER matching_index_mark_profiles_users_update AFTER update ON profiles_users
WHEN EXISTS (SELECT 1 FROM matching_index_mark) BEGIN DELETE FROM matching_index_mark; END;
CREATE TRIGGER matching_index_mark_profiles_users_delete AFTER delete ON profiles_users
WHEN EXISTS (SELECT 1 FROM matching_index_mark) BEGIN DELETE FROM matching_index_mark; END;
CREATE TRIGGER matching_index_mark_matching_tallies_insert AFTER insert ON matching_tallies
WHEN EXISTS (SELECT 1 FROM matching_index_mark) BEGIN DELETE FROM matching_index_mark; END;
CREATE TRIGGER matching_index_mark_matching_tallies_update AFTER update ON matching_tallies
WHEN EXISTS (SELECT 1 FROM matching_index_mark) BEGIN DELETE FROM matching_index_mark; END;
CREATE TRIGGER matching_index_mark_matching_tallies_delete AFTER delete ON matching_tallies
WHEN EXISTS (SELECT 1 FROM matching_index_mark) BEGIN DELETE FROM matching_index_mark; END;
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
    created_at INTEGER NOT NULL, a_gone_at INTEGER, b_gone_at INTEGER, erased INTEGER NOT NULL DEFAULT 0, has_holes INTEGER NOT NULL DEFAULT 0,
    CHECK (user_a < user_b)
) STRICT;
CREATE INDEX chat_conversations_a ON chat_conversations (user_a, user_b);
CREATE INDEX chat_conversations_b ON chat_conversations (user_b);
CREATE INDEX chat_conversations_opened ON chat_conversations (opened_by, opened_at)
    WHERE opened_by IS NOT NULL;
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
CREATE TABLE chat_received (
    user_id INTEGER PRIMARY KEY,
    offset INTEGER NOT NULL
) STRICT;
CREATE TABLE chat_search_progress (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    message_id INTEGER NOT NULL
) STRICT;
CREATE TABLE chat_usage (
    user_id INTEGER PRIMARY KEY,
    day INTEGER NOT NULL,
    messages INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;
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
CREATE TABLE push_records (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id INTEGER NOT NULL,
    uuid TEXT NOT NULL UNIQUE,
    device TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    content TEXT NOT NULL
) STRICT;
CREATE INDEX push_records_user ON push_records (user_id);
CREATE TABLE push_pauses (
    service INTEGER NOT NULL,
    place TEXT NOT NULL,
    paused_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    PRIMARY KEY (service, place)
) STRICT, WITHOUT ROWID;
