#!/usr/bin/env python3
"""Makes the databases of this folder: the schema of a commit, from the texts of its migrations, with a few invented rows in
every table.

    python3 Tests/IntegrationTests/Fixtures/shapes/make.py COMMIT NAME

Needs git, gzip and libspatialite. Writes NAME.db.gz beside this file. The people, addresses and texts are invented.
"""
import ctypes
import ctypes.util
import gzip
import hashlib
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "../../../.."))


class Database:
    """A connection with SpatiaLite, through the C libraries."""

    def __init__(self, path):
        self.sqlite = ctypes.CDLL("libsqlite3.so.0", mode=ctypes.RTLD_GLOBAL)
        spatialite = ctypes.CDLL("libspatialite.so.7")
        self.handle = ctypes.c_void_p()
        assert self.sqlite.sqlite3_open(path.encode(), ctypes.byref(self.handle)) == 0
        spatialite.spatialite_alloc_connection.restype = ctypes.c_void_p
        spatialite.spatialite_init_ex.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
        spatialite.spatialite_init_ex(self.handle, spatialite.spatialite_alloc_connection(), 0)
        self.sqlite.sqlite3_errmsg.restype = ctypes.c_char_p

    def run(self, sql):
        rows = []
        callback = ctypes.CFUNCTYPE(
            ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_char_p), ctypes.POINTER(ctypes.c_char_p))

        def note(_, count, values, names):
            rows.append([values[i].decode() if values[i] is not None else None for i in range(count)])
            return 0

        if self.sqlite.sqlite3_exec(self.handle, sql.encode(), callback(note), None, None) != 0:
            raise SystemExit(f"{self.sqlite.sqlite3_errmsg(self.handle).decode()}\n{sql[:2000]}")
        return rows

    def close(self):
        self.sqlite.sqlite3_close(self.handle)


def git(*arguments):
    return subprocess.run(["git", "-C", ROOT, *arguments], check=True, capture_output=True, text=True).stdout


def dedented(literal):
    """The text of a literal of several lines."""
    lines = literal.split("\n")
    indent = len(lines[-1]) - len(lines[-1].lstrip())
    return "\n".join(line[indent:] for line in lines[1:-1])


class Commit:
    """The migrations of a commit, in the order in which its server ran them."""

    def __init__(self, name):
        self.name = name
        self.files = git("ls-tree", "-r", "--name-only", name).split()

    def text(self, path):
        return git("show", f"{self.name}:{path}")

    def steps(self):
        steps = self.steps_of("Sources/SparkStorage/Schema/Migrator.swift")
        for module in ["Accounts", "Profiles", "Matching", "Chat", "Push"]:
            found = [path for path in self.files if path.endswith(f"/{module}Migrations.swift")]
            if found:
                steps += self.steps_of(found[0])
        return steps

    def steps_of(self, path):
        text = self.text(path)
        places = [(match.start(), match.group(1)) for match in re.finditer(r'Migration\(\s*"([a-z]+\.\d{3}_[a-z_]+)"', text)]
        steps = []
        for index, (start, step) in enumerate(places):
            end = places[index + 1][0] if index + 1 < len(places) else len(text)
            body = text[start:end]
            literal = re.search(r'"""(.*?)"""', body, re.S)
            plain = re.search(r'(?:sql:|script\()\s*"((?:CREATE|ALTER|DROP)[^"]*)"', body)
            if literal and (not plain or literal.start() < plain.start()):
                sql = dedented(literal.group(1))
            else:
                sql = plain.group(1) if plain else ""
            steps.append((step, self.complete(step, sql)))
        return steps

    def constant(self, name):
        for path in self.files:
            if not path.endswith(".swift") or not path.startswith(("Plugins/", "Sources/")):
                continue
            if f"static let {name} = \"\"\"" in (text := self.text(path)):
                return dedented(re.search(rf'static let {name} = """(.*?)"""', text, re.S).group(1))
        raise SystemExit(f"{name} is not found")

    def complete(self, step, sql):
        """Adds what a migration does in code."""

        def value(match):
            name = match.group(1).split(".")[-1]
            if name.startswith("departures(in:"):
                table = match.group(1).split('"')[1]
                return "\n".join(
                    f"UPDATE {table} SET {side}_gone_at = (SELECT updated_at FROM profiles_users WHERE id = user_{side}) "
                    f"WHERE ended_at IS NULL AND user_{side} IN (SELECT id FROM profiles_users WHERE closed = 1);"
                    for side in "ab")
            if match.group(1) == "IndexMark.triggers":
                return "\n".join(
                    f"CREATE TRIGGER matching_index_mark_{table}_{change} AFTER {change} ON {table}\n"
                    "WHEN EXISTS (SELECT 1 FROM matching_index_mark) BEGIN DELETE FROM matching_index_mark; END;"
                    for table in ["profiles_users", "matching_tallies"] for change in ["insert", "update", "delete"])
            return self.constant(name)

        sql = re.sub(r"\\\((.*)\)", value, sql)
        if step == "spark.001_kernel":
            sql = "SELECT InitSpatialMetaData(0, 'NONE'); SELECT InsertEpsgSrid(4326);\n" + sql
        if step == "profiles.001_users":
            sql += "\nSELECT AddGeometryColumn('profiles_users', 'location', 4326, 'POINT', 'XY');"
            sql += "SELECT CreateSpatialIndex('profiles_users', 'location');"
        return sql


# 2026-02-27T12:00:00Z, in milliseconds.
THEN = 1_772_193_600_000
DAY = THEN // 86_400_000
PLACE = "0001E610000040B1DD0140CE0240BC0EE8C63C6D484040B1DD0140CE0240BC0EE8C63C6D48407C0100000040B1DD0140CE0240BC0EE8C63C6D4840FE"
ANN, BEN, CLEO, DAVE = 914607272780303327, 914607280024417281, 914607287373698448, 914607294175164850
MATCH, CHAT = 914607294241132489, 914607294241190965


class Blob(str):
    """Hexadecimal digits."""


def audit_hash(previous, seq, at, actor, action, subjects):
    content = json.dumps([seq, at, actor, action, subjects], separators=(",", ":"))
    return hashlib.sha256(previous + content.encode()).digest()


def rows():
    """By table; columns that a commit does not have yet are left out."""
    first = b"\0" * 32
    report = [1, THEN, "uid:1000", "user.show", ["usr_0scapf6sdex01"]]
    people = [(ANN, "Ann", 0), (BEN, "Ben", 1), (CLEO, "Cleo", 2), (DAVE, "Dave", 1)]
    birth = 9_296
    return {
        "spark_outbox": [dict(topic="test.done", payload=Blob("00"), created_at=THEN, available_at=THEN * 2)],
        "spark_idempotency": [dict(owner="usr_0scapf6sdex01", key="key-1", request_hash=Blob("00" * 32), created_at=THEN)],
        "spark_mark": [dict(id=1, mark="15253641119442609429")],
        "spark_epoch": [dict(id=1, epoch="399vy2fezciau")],
        "spark_inbox": [
            dict(user_id=ANN, offset=1, type="match", subject=CHAT, ordinal=0, created_at=THEN, members=Blob(
                b'"match":"mat_0scapfm13jky9","user":"usr_0scapf6sdex01","conversation":"cnv_0scapfm13md1n"'.hex())),
            dict(user_id=ANN, offset=2, type="message", subject=CHAT, ordinal=1, created_at=THEN + 1)],
        "spark_inbox_floors": [dict(user_id=BEN, offset=3)],
        "spark_audit": [dict(
            seq=1, at=THEN, actor=report[2], action=report[3], subjects=report[4][0], previous=Blob(first.hex()),
            hash=Blob(audit_hash(first, *report).hex()))],
        "accounts_users": [
            dict(id=id, email=f"{name.lower()}@example.org", created_at=THEN) for id, name, _ in people],
        "accounts_sessions": [
            dict(id=id + 1, user_id=id, created_at=THEN, last_used_at=THEN, label="unknown", confirmed_at=THEN)
            for id, _, _ in people],
        "accounts_refresh_tokens": [
            dict(token_hash=Blob("0A" * 32), session_id=ANN + 1, issued_at=THEN, expires_at=THEN + 86_400_000)],
        "accounts_known_networks": [dict(user_id=ANN, network=Blob("0B" * 16), seen_at=THEN)],
        "accounts_resets": [dict(token_hash=Blob("0C" * 32), user_id=BEN, created_at=THEN, expires_at=THEN + 1)],
        "accounts_erased": [dict(id=914607294175164999)],
        "profiles_grid": [dict(id=1, cell_metres=1_000, hidden_cell_metres=10_000)],
        "profiles_users": [
            dict(
                id=id, name=name, birth_date=birth, gender=gender, interested_in=7, about=f"I am {name}.",
                interests='["climbing","cooking"]', min_age=18, max_age=99, max_distance_km=50, hard_age=0, hard_distance=0,
                paused=0, incognito=0, hide_distance=0, closed=0, last_active_at=THEN, created_at=THEN, updated_at=THEN,
                version=1, cell=259_040_228_382, location=Blob(PLACE))
            for id, name, gender in people],
        "matching_swipes": [
            dict(user_id=ANN, target_id=BEN, action=1, swiped_at=THEN),
            dict(user_id=BEN, target_id=ANN, action=2, swiped_at=THEN + 1),
            dict(user_id=CLEO, target_id=ANN, action=1, swiped_at=THEN + 2),
            dict(user_id=ANN, target_id=DAVE, action=0, swiped_at=THEN + 3)],
        "matching_matches": [dict(id=MATCH, conversation_id=CHAT, user_a=ANN, user_b=BEN, created_at=THEN + 1)],
        "matching_blocks": [dict(user_id=CLEO, target_id=DAVE, blocked_at=THEN + 4)],
        "matching_reports": [
            dict(id=914607294401702795, reporter_id=CLEO, target_id=DAVE, category="spam", text="He sells things.",
                 created_at=THEN + 4)],
        "matching_tallies": [
            dict(user_id=ANN, likes_given=1, passes_given=1, likes_received=2, likes_given_before=1, passes_given_before=1,
                 likes_received_before=2),
            dict(user_id=BEN, likes_given=1, likes_received=1, likes_given_before=1, likes_received_before=1),
            dict(user_id=CLEO, likes_given=1, likes_given_before=1),
            dict(user_id=DAVE, passes_received=1, passes_received_before=1)],
        "matching_spent": [dict(user_id=ANN, day=DAY, likes=1, superlikes=0)],
        "matching_like_notices": [dict(user_id=CLEO, target_id=ANN, day=DAY)],
        "matching_withdrawn_passes": [dict(user_id=BEN, target_id=DAVE, day=DAY)],
        "matching_evidence": [
            dict(report_id=914607294401702795, target_id=DAVE, statement='{"name":"Dave"}', is_target_lower=0,
                 captured_at=THEN + 4, relevant_at=THEN + 4)],
        "matching_evidence_profiles": [dict(user_id=DAVE, version=1, body='{"name":"Dave"}')],
        "matching_evidence_messages": [
            dict(conversation_id=CHAT, seq=1, is_from_lower=1, content=0, text="Hello Ben", sent_at=THEN + 5, is_deleted=0,
                 captured_at=THEN + 6)],
        "matching_index_mark": [dict(id=1, mark=Blob("0D" * 16))],
        "chat_conversations": [
            dict(id=CHAT, match_id=MATCH, user_a=ANN, user_b=BEN, last_seq=2, last_at=THEN + 7, opened_by=ANN,
                 opened_at=THEN + 5, a_read=2, b_read=1, a_received=2, b_received=1, created_at=THEN + 1)],
        "chat_messages": [
            dict(id=914607294263192869, conversation_id=CHAT, seq=1, sender_id=ANN, client_id="m1", content=0, text="Hello Ben",
                 sent_at=THEN + 5),
            dict(id=914607294278423902, conversation_id=CHAT, seq=2, sender_id=BEN, client_id="m2", content=0, text="Hello Ann",
                 sent_at=THEN + 7)],
        "chat_reactions": [dict(conversation_id=CHAT, seq=1, user_id=BEN, reaction="❤")],
        "chat_held": [
            dict(id=914607294278423999, conversation_id=CHAT, sender_id=BEN, client_id="m3", content=0,
                 text="www.example.org", held_at=THEN + 8)],
        "chat_received": [dict(user_id=ANN, offset=2)],
        "chat_search": [dict(rowid=914607294263192869, members="a", text="Hello Ben")],
        "chat_usage": [dict(user_id=ANN, day=DAY, messages=1, bytes=9)],
        "push_devices": [
            dict(id=1, user_id=ANN, session_id=ANN + 1, name="phone", service=3, token="example-token-of-ann",
                 public_key=Blob(""), secret=Blob(""), is_sandbox=0, language="en", registered_at=THEN)],
        "push_settings": [dict(user_id=ANN, time_zone="Europe/Paris", quiet_from=1_320, quiet_until=420, preview=1, muted_kinds=0)],
        "push_days": [dict(user_id=ANN, day=DAY, sent=1)],
        "push_mutes": [dict(user_id=BEN, conversation_id=CHAT)],
        "push_batches": [dict(id=1, user_id=ANN, kind=0, opened_at=THEN, state=4, due_at=THEN, count=1)],
        "push_events": [dict(batch_id=1, subject_id=CHAT, last_seq=2)],
        "push_deliveries": [
            dict(id=1, uuid="00000000-0000-4000-8000-000000000001", batch_id=1, device_id=1, service=3, priority=0,
                 collapse="c", is_complete=1, created_at=THEN, next_at=THEN, expires_at=THEN + 1)],
        "push_records": [
            dict(id=1, user_id=ANN, uuid="00000000-0000-4000-8000-000000000002", device="phone", sent_at=THEN, content="{}")],
        "push_pauses": [dict(service=3, place="example.org", paused_at=THEN, until_at=THEN + 1)],
    }


def literal(value):
    if value is None:
        return "NULL"
    if isinstance(value, Blob):
        return f"x'{value}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def is_own(table):
    return table.split("_")[0] in {"spark", "accounts", "profiles", "matching", "chat", "push"}


def main(commit, name):
    path = os.path.join(HERE, f"{name}.db")
    if os.path.exists(path):
        os.remove(path)
    database = Database(path)
    steps = Commit(commit).steps()
    database.run("PRAGMA journal_mode = WAL; BEGIN; CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);")
    for step, sql in steps:
        database.run(sql)
        database.run(f"INSERT INTO grdb_migrations (identifier) VALUES ('{step}')")
        if step == "spark.007_spatial_triggers":
            raise SystemExit("drop the metadata triggers here")
    tables = [row[0] for row in database.run(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") if is_own(row[0])]
    # The mark of the index is last: triggers remove it.
    for table, entries in sorted(rows().items(), key=lambda entry: entry[0] == "matching_index_mark"):
        if table not in tables:
            continue
        columns = {row[1] for row in database.run(f"PRAGMA table_info({table})")} | {"rowid"}
        database.run(f"DELETE FROM {table}" if table in {"profiles_grid", "matching_tallies"} else "")
        for entry in entries:
            known = {key: value for key, value in entry.items() if key in columns}
            database.run(
                f"INSERT INTO {table} ({', '.join(known)}) VALUES ({', '.join(literal(value) for value in known.values())})")
    if "spark_commits" in tables:
        database.run("UPDATE spark_commits SET commits = 7")
    if "chat_search_progress" in tables:
        database.run("UPDATE chat_search_progress SET message_id = 914607294278423902")
    empty = [table for table in tables if database.run(f"SELECT COUNT(*) FROM {table}")[0][0] == "0"]
    database.run("COMMIT")
    database.run("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
    print(name, len(steps), "steps; tables without rows:", [name for name in empty if name != "chat_search_progress"])
    print(database.run("PRAGMA integrity_check")[0][0], database.run("PRAGMA foreign_key_check"))
    database.close()
    with open(path, "rb") as file, gzip.GzipFile(f"{path}.gz", "wb", compresslevel=9, mtime=0) as target:
        target.write(file.read())
    os.remove(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
