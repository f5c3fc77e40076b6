#!/usr/bin/env python3
"""Merging a day of small archive segments: time, processor time, memory and objects, and that every moment can be restored as before.

Usage: archive_merge.py SPARK_BINARY [--segments N] [--pages P] [--rounds R] [--people N] [--bucket]
A server whose clock is set back by 26 hours (clock_shift.c) makes a backup and begins an archive. A day of further segments is written behind
it in the server's own format: each has one commit, made by SQLite on a copy of the database, that changes --pages pages. Another server
with the same place merges them; it does so every ten minutes, at most 8,192 segments in a round, and it is measured for --rounds rounds.
With --bucket the place is a bucket (bucket.py) for the merging server, which counts its requests. Moments in and behind what was merged are
restored before and after. Exit code 1 when a restored state is not the one of its moment. Needs cc.
"""
import argparse, glob, hashlib, json, os, re, shutil, sqlite3, struct, subprocess, sys, tempfile, time, zlib
import spark_server
from bucket import Bucket
from contextlib import contextmanager
from datetime import datetime, timezone
from spark_server import OtherWork, Server, processor_seconds

HERE = os.path.dirname(os.path.abspath(__file__))
BACK = 26 * 3_600
BATCH, TRAILER = 1, 3
FRAME_HEADER, LOG_HEADER = 24, 32


@contextmanager
def shifted(work):
    """Programs that are started meanwhile have a clock that is set back."""
    own = {"LD_PRELOAD": f"{work}/clock_shift.so", "CLOCK_SHIFT": str(-BACK)}
    os.environ.update(own)
    try:
        yield
    finally:
        for name in own:
            del os.environ[name]


def literal(raw):
    """A block of LZ4 that only quotes."""
    if len(raw) < 15:
        return bytes([len(raw) << 4]) + raw
    rest = len(raw) - 15
    return b"\xf0" + b"\xff" * (rest // 255) + bytes([rest % 255]) + raw


def record(kind, content):
    head = struct.pack("<III", kind, len(content), zlib.crc32(content))
    return head + struct.pack("<I", zlib.crc32(head)) + content


class Chain:
    """Writes segments of a generation behind the last one of the server."""

    def __init__(self, folder):
        self.folder = folder
        last = max(os.listdir(folder))
        with open(f"{folder}/{last}", "rb") as file:
            content = file.read()
        self.number, self.commits = (int(part) for part in last.split("-")[:2])
        self.header = content[:128]
        self.previous = content[-32:]

    def add(self, frames, page_size, at):
        """One segment with one commit: a list of page numbers and pages, and the size of the database in pages after it."""
        pages, size = frames
        number, before = self.number + 1, self.commits
        head = self.header[:16] + struct.pack("<qq", number, before) + self.header[32:64] + self.previous + self.header[96:124]
        head += struct.pack("<I", zlib.crc32(head))
        words = b"".join(struct.pack("<II", page, size if index == len(pages) - 1 else 0) for index, (page, _) in enumerate(pages))
        place = struct.pack("<8I", 1, 1, len(pages), 0, 0, 0, 0, 0)
        raw = words + b"".join(content for _, content in pages)
        body = head + record(BATCH, struct.pack("<II", len(pages), 1) + place + struct.pack("<q", at) + literal(raw))
        digest = hashlib.sha256(body).digest()
        self.number, self.commits, self.previous = number, before + 1, digest
        name = f"{number:010}-{self.commits:015}-{at:015}-{at:015}.seg"
        with open(os.open(f"{self.folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(body + record(TRAILER, struct.pack("<qqq", self.commits, at, at) + digest))


class Commits:
    """Makes commits on a copy of a database, and reads their pages from its log."""

    def __init__(self, database, pages):
        self.rows = sqlite3.connect(database, isolation_level=None)
        self.rows.execute("PRAGMA synchronous = OFF")
        self.rows.execute("PRAGMA wal_autocheckpoint = 0")
        self.page_size = self.rows.execute("PRAGMA page_size").fetchone()[0]
        found = [row[0] for row in self.rows.execute("SELECT id FROM chat_messages WHERE deleted_at IS NULL ORDER BY id")]
        self.messages = [found[index * len(found) // pages] for index in range(pages)]
        self.log, self.place = database + "-wal", None

    def make(self, number):
        """The pages of a commit that writes a number into the first message."""
        self.rows.execute("BEGIN")
        for message in self.messages:
            self.rows.execute("UPDATE chat_messages SET text = ? WHERE id = ?", (f"state {number:08}", message))
        self.rows.execute("COMMIT")
        with open(self.log, "rb") as file:
            if self.place is None:
                # A log of an earlier pass would be overwritten, not continued; this copy has none.
                self.place = LOG_HEADER
            file.seek(self.place)
            content = file.read()
        self.place += len(content)
        step, pages, size = FRAME_HEADER + self.page_size, {}, 0
        for start in range(0, len(content), step):
            page, size = struct.unpack(">II", content[start:start + 8])
            pages[page] = content[start + FRAME_HEADER:start + step]
        return list(pages.items()), size


def restore(a, place, work, moment):
    """The state of a moment: the text of the first message, and how long it took."""
    new = f"{work}/restored"
    shutil.rmtree(new, ignore_errors=True)
    text = datetime.fromtimestamp(moment / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment % 1000:03}Z"
    begin = time.monotonic()
    done = subprocess.run([a.spark, "restore", place, "--data", new, "--at", text, "--json"], capture_output=True, text=True)
    if done.returncode:
        return f"{done.returncode} {done.stderr[-400:]}", 0
    took = time.monotonic() - begin
    checked = subprocess.run([a.spark, "check", "--data", new], capture_output=True, text=True)
    if checked.returncode:
        return f"check: {checked.stdout[-400:]}", took
    with spark_server.database(new) as rows:
        return rows.execute("SELECT text FROM chat_messages WHERE id = ?", (a.message,)).fetchone()[0], took


def look(a, place, work, moments, faults, when):
    for name, (number, moment) in moments.items():
        text, took = restore(a, place, work, moment)
        print(f"  {when}: restored {name}, segment {number} of {a.segments}, in {took:.1f} s")
        if text != f"state {number:08}":
            faults.append(f"{when}: the state of segment {number} has {text!r}")


def names(folder):
    found = os.listdir(folder)
    return sum(name.endswith(".seg") for name in found), sum(name.endswith(".pack") for name in found)


def memory(pid):
    with open(f"/proc/{pid}/status") as file:
        fields = dict(re.findall(r"(\w+):\s+(\d+) kB", file.read()))
    return int(fields["RssAnon"]) / 1024, int(fields["VmHWM"]) / 1024


def rounds(a, server, data, folder, bucket, faults):
    """Waits for the rounds, and measures each from the first file in its scratch folder to the last change of the store."""
    scratch, before = f"{data}/archive/merge", names(folder)
    for number in range(a.rounds):
        until = time.time() + 700
        cpu, own = processor_seconds(server.pid), memory(server.pid)
        while not os.path.exists(scratch):
            if time.time() > until:
                faults.append("the segments were not merged")
                return
            cpu, asked = processor_seconds(server.pid), dict(bucket.counts) if bucket else {}
            time.sleep(0.01)
        begin, others, absent = time.time(), OtherWork(), 0
        # The folder is removed and made again between two packs.
        largest = 0
        while absent < 300:
            try:
                largest = max(largest, sum(entry.stat().st_size for entry in os.scandir(scratch)))
                absent = 0
            except OSError:
                absent += 1
            time.sleep(0.01)
        end = os.stat(folder).st_mtime
        after, used = names(folder), processor_seconds(server.pid) - cpu
        others.known = used
        merged, packs = before[0] - after[0], after[1] - before[1]
        packed = sum(os.stat(file).st_size for file in glob.glob(f"{folder}/*.pack")) / 1e6
        print(f"round {number + 1}: {merged} segments into {packs} packs in {end - begin:.1f} s and {used:.1f} s of a processor "
              f"({used / max(1, merged) * 1e6:.0f} us a segment); objects {sum(before)} before, {sum(after)} after; {packed:.0f} MB in packs; "
              f"at most {largest / 1e6:.0f} MB on the server's disk; anonymous memory {own[0]:.0f} to {memory(server.pid)[0]:.0f} MiB; {others}")
        if bucket:
            print("  requests: " + ", ".join(f"{count - asked.get(kind, 0)} {kind}s" for kind, count in sorted(bucket.counts.items())))
        if merged <= 0 or packs <= 0:
            faults.append("nothing was merged")
            return
        before = after
    share = a.segments / 8_192
    print(f"a day of {a.segments} segments is {share:.1f} such rounds, of the 144 that a day has")


def main():
    sys.stdout.reconfigure(line_buffering=True)
    parser = argparse.ArgumentParser()
    parser.add_argument("spark")
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--pages", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--bucket", action="store_true")
    a = parser.parse_args()
    if absent := spark_server.missing("cc"):
        print(f"skipped: {absent} is not installed")
        return 0
    a.spark = os.path.abspath(a.spark)
    work, faults = tempfile.mkdtemp(prefix="spark-merge-"), []
    place, first, second = f"{work}/place", f"{work}/first", f"{work}/second"
    settings = [f"backup.to={place}", "backup.drill=false"]
    try:
        subprocess.run(["cc", "-O2", "-Wall", "-shared", "-fPIC", "-o", f"{work}/clock_shift.so", f"{HERE}/clock_shift.c"], check=True)
        with shifted(work):
            spark_server.seed(a.spark, a.people, first)
            with Server(a.spark, first, settings):
                until = time.time() + 300
                while not glob.glob(f"{place}/backups/*/manifest.json") and time.time() < until:
                    time.sleep(0.1)
        (manifest,) = glob.glob(f"{place}/backups/*/manifest.json")
        with open(manifest) as file:
            generation = json.load(file)["archive_to"].split("/")[0]
        folder = f"{place}/archive/{generation}"
        shutil.copytree(first, f"{work}/copy")
        chain, commits = Chain(folder), Commits(f"{work}/copy/spark.db", a.pages)
        a.message = commits.messages[0]
        began = (time.time() - BACK + 1_800) * 1000
        step = 86_400_000 / a.segments
        begin = time.monotonic()
        for number in range(1, a.segments + 1):
            chain.add(commits.make(number), commits.page_size, int(began + number * step))
        commits.rows.close()
        size = sum(entry.stat().st_size for entry in os.scandir(folder)) / 1e6
        print(f"{a.segments} segments, one every {step / 1000:.2f} s for a day, {size:,.0f} MB; written in {time.monotonic() - begin:.0f} s")
        moments = {name: (number, int(began + number * step)) for name, number in
                   (("an early moment", a.segments // 50), ("a later one", a.segments // 3), ("the last one", a.segments))}
        look(a, place, work, moments, faults, "before merging")
        spark_server.seed(a.spark, 100, second)
        bucket = Bucket(place) if a.bucket else None
        with Server(a.spark, second, bucket.settings(work) + ["backup.drill=false"] if bucket else settings) as server:
            rounds(a, server, second, folder, bucket, faults)
        look(a, place, work, moments, faults, "after merging")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print("FAIL: " + "\n  ".join(faults[:20]) if faults else "ok")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
