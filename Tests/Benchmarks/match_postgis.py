"""PostGIS as well as it can be tuned for two-way decks: a table for each gender and each gender that its people seek, one GiST
index over place, birth and ages sought, walked nearest first, plans kept, everything in shared memory."""
import math, os, pwd, subprocess, threading, time
from match_town import EARTH_RADIUS

BINARIES = "/usr/lib/postgresql/15/bin"
# The type of places, and how swiped people are left out. The fastest variant first.
VARIANTS = ["sphere, swipes by NOT EXISTS", "sphere, swipes as an array", "geography, swipes by NOT EXISTS",
            "geography, swipes as an array"]

SETTINGS = {
    "shared_buffers": "2GB", "work_mem": "64MB", "maintenance_work_mem": "1GB", "effective_cache_size": "8GB", "jit": "off",
    "max_parallel_workers_per_gather": "0", "random_page_cost": "1", "effective_io_concurrency": "0", "autovacuum": "off",
    "wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "8GB", "fsync": "off", "synchronous_commit": "off",
    "full_page_writes": "off", "listen_addresses": "", "plan_cache_mode": "force_generic_plan", "enable_seqscan": "off",
    "enable_bitmapscan": "off", "enable_sort": "off", "enable_material": "off", "timezone": "UTC",
}

# Warms up a session before it is timed.
WARM_UP = "SELECT count(*) FROM times(0, 100);"


def chord(arc):
    """The length of the chord through the Earth for a distance along its surface."""
    return 2 * EARTH_RADIUS * math.sin(min(arc / (2 * EARTH_RADIUS), math.pi / 2))


class PostGIS:
    def __init__(self, town, work):
        self.town, self.directory, self.variant = town, f"{work}/postgres", None
        os.mkdir(self.directory)
        self.user = None
        if os.getuid() == 0:
            # The server refuses to be root.
            self.user = pwd.getpwnam("postgres")
            os.chmod(work, 0o711)
            os.chown(self.directory, self.user.pw_uid, self.user.pw_gid)
        data = f"{self.directory}/data"
        subprocess.run([f"{BINARIES}/initdb", "-D", data, "-U", "spark", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
                       check=True, stdout=subprocess.DEVNULL, cwd="/", **self.identity())
        options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with open(f"{work}/postgres.log", "w") as log:
            self.server = subprocess.Popen([f"{BINARIES}/postgres", "-D", data, "-k", self.directory, *options], cwd="/",
                                           stdout=log, stderr=subprocess.STDOUT, **self.identity())
        for _ in range(600):
            if self.server.poll() is not None:
                raise SystemExit(f"postgres ended: {open(f'{work}/postgres.log').read()}")
            ready = subprocess.run([f"{BINARIES}/pg_isready", "-q", "-h", self.directory])
            if ready.returncode == 0:
                break
            time.sleep(0.05)

    def identity(self):
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}

    def stop(self):
        self.server.send_signal(2)  # SIGINT: at once, in order
        self.server.wait()

    def sql(self, text, stdin=None):
        """Runs statements in one session; rows as lines, columns split by |."""
        command = [f"{BINARIES}/psql", "-h", self.directory, "-U", "spark", "-d", "postgres", "-qAtX", "-v", "ON_ERROR_STOP=1"]
        if stdin is None:
            done = subprocess.run([*command, "-f", "-"], input=text, check=True, stdout=subprocess.PIPE, text=True)
            return done.stdout.splitlines()
        feed = subprocess.Popen([*command, "-c", text], stdin=subprocess.PIPE, text=True)
        for line in stdin:
            feed.stdin.write(line)
        feed.stdin.close()
        if feed.wait() != 0:
            raise SystemExit("psql failed")
        return []

    def load(self, export, variants):
        self.sql("""
            CREATE EXTENSION postgis; CREATE EXTENSION btree_gist;
            CREATE UNLOGGED TABLE people (id bigint, latitude float8, longitude float8, birth date, gender int, interested_in int,
                min_age int, max_age int, max_distance_km int, last_active bigint, incognito int, hides_distance int);
            CREATE UNLOGGED TABLE probes (number int PRIMARY KEY, viewer bigint, latitude float8, longitude float8, gender int,
                interested_in int, age int, born_from date, born_to date, reach float8, chord float8, excluded bigint[],
                place geometry, box geometry, earth geography);
            CREATE UNLOGGED TABLE swipes (probe int, target bigint);
            CREATE FUNCTION on_sphere(latitude float8, longitude float8) RETURNS geometry LANGUAGE sql IMMUTABLE AS $$
                SELECT ST_MakePoint(%(r)s * cosd(latitude) * cosd(longitude), %(r)s * cosd(latitude) * sind(longitude),
                    %(r)s * sind(latitude)) $$;
            """ % {"r": EARTH_RADIUS})
        with open(f"{export}/people.csv") as f:
            next(f)
            self.sql("COPY people FROM STDIN (FORMAT csv)", f)
        self.sql("COPY probes (number, viewer, latitude, longitude, gender, interested_in, age, born_from, born_to, reach, chord, "
                 "excluded) FROM STDIN (DELIMITER '|')", (self.line(probe) for probe in self.town.probes))
        self.sql("""
            UPDATE probes SET place = on_sphere(latitude, longitude), earth = ST_MakePoint(longitude, latitude)::geography;
            UPDATE probes SET box = ST_Expand(place, chord);
            INSERT INTO swipes SELECT number, unnest(excluded) FROM probes ORDER BY 1, 2;
            ALTER TABLE swipes ADD PRIMARY KEY (probe, target);
            """)
        for place in sorted({variant.split(", ")[0] for variant in variants}):
            self.load_candidates(place)
        self.sql("VACUUM ANALYZE;")

    def load_candidates(self, kind):
        """Incognito people are in no table, because none of them is in an answer."""
        place, reach, operators = {
            "sphere": ("on_sphere(latitude, longitude)",
                       f"2 * {EARTH_RADIUS} * sind(least(90, degrees(max_distance_km * 1000.0 / {EARTH_RADIUS}) / 2))",
                       "gist_geometry_ops_nd"),
            "geography": ("ST_MakePoint(longitude, latitude)::geography", "max_distance_km * 1000.0::float8",
                          "gist_geography_ops"),
        }[kind]
        for gender in range(3):
            for seeks in range(3):
                table = f"{kind}_{gender}_{seeks}"
                self.sql(f"""
                    CREATE UNLOGGED TABLE {table} AS SELECT id, {place} AS place, birth,
                        int4range(min_age, max_age, '[]') AS ages, {reach} AS reach, last_active
                        FROM people WHERE gender = {gender} AND interested_in >> {seeks} & 1 = 1 AND incognito = 0
                        ORDER BY ST_MakePoint(longitude, latitude);
                    CREATE INDEX ON {table} USING gist (place {operators}, birth, ages);""")

    @staticmethod
    def line(probe):
        viewer = probe.viewer
        excluded = "{" + ",".join(map(str, probe.excluded)) + "}"
        return "|".join(map(str, (probe.number, viewer.id, *viewer.place, viewer.gender, viewer.seeks, probe.age, probe.born_from,
                                  probe.born_to, viewer.reach, chord(viewer.reach), excluded))) + "\n"

    def nearest(self, variant, gender, seeks):
        """One query for viewers of a gender who seek some genders."""
        kind, exclusion = variant.split(", ")
        left_out = {"swipes by NOT EXISTS": "NOT EXISTS (SELECT FROM swipes s WHERE s.probe = p.number AND s.target = c.id)",
                    "swipes as an array": "c.id NOT IN (SELECT unnest(p.excluded))"}[exclusion]
        near, within = {
            "sphere": ("c.place <<->> p.place", "c.place &&& p.box AND c.place <<->> p.place <= least(c.reach, p.chord)"),
            "geography": ("c.place <-> p.earth",
                          "c.place && _ST_Expand(p.earth, p.reach) AND c.place <-> p.earth <= least(c.reach, p.reach)"),
        }[kind]
        tables = [f"(SELECT c.id, {near} AS d FROM {kind}_{other}_{gender} c WHERE c.birth BETWEEN p.born_from AND p.born_to "
                  f"AND c.ages @> p.age AND c.last_active >= {self.town.active_since} AND {within} AND c.id <> p.viewer "
                  f"AND {left_out} ORDER BY d LIMIT {self.town.limit})" for other in range(3) if seeks >> other & 1]
        return f"ARRAY(SELECT id FROM ({' UNION ALL '.join(tables)}) n ORDER BY d LIMIT {self.town.limit})"

    def use(self, variant):
        """One function whose plans are made once a session."""
        self.variant = variant
        cases = "\n".join(f"WHEN {gender * 8 + seeks} THEN RETURN {self.nearest(variant, gender, seeks)};"
                          for gender in range(3) for seeks in range(1, 8))
        self.sql(f"""
            CREATE OR REPLACE FUNCTION nearest(p probes) RETURNS bigint[] LANGUAGE plpgsql AS $$
                BEGIN CASE p.gender * 8 + p.interested_in {cases} END CASE; END $$;
            CREATE OR REPLACE FUNCTION times(beginning int, count int) RETURNS SETOF float8 LANGUAGE plpgsql AS $$
                DECLARE p probes; began timestamptz; ids bigint[]; taken float8[] := '{{}}';
                BEGIN
                    FOR p IN SELECT * FROM probes WHERE number >= beginning ORDER BY number LIMIT count LOOP
                        began := clock_timestamp();
                        ids := nearest(p);
                        taken := taken || extract(epoch FROM clock_timestamp() - began)::float8 * 1e6;
                    END LOOP;
                    RETURN QUERY SELECT unnest(taken);
                END $$;""")

    def answers(self):
        for line in self.sql("SELECT number, array_to_string(nearest(p), ',') FROM probes p ORDER BY number;"):
            number, ids = line.split("|")
            yield int(number), [int(one) for one in ids.split(",") if one]

    def measure(self, limit=None):
        """Microseconds of each query, inside one session of the server."""
        count = limit or len(self.town.probes)
        return [float(line) for line in self.sql(f"{WARM_UP} SELECT * FROM times(0, {count});")[1:]]

    def rate_of_two(self):
        """Queries a second of two sessions at the same time."""
        half, rates = len(self.town.probes) // 2, [0.0, 0.0]

        def ask(client):
            # Both ask all of them, one from the middle on.
            begin = half * client
            lines = self.sql(f"{WARM_UP} SELECT * FROM times({begin}, 1000000); SELECT * FROM times(0, {begin});")[1:]
            rates[client] = 1e6 * len(lines) / sum(map(float, lines))

        clients = [threading.Thread(target=ask, args=(client,)) for client in range(2)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        return sum(rates)
