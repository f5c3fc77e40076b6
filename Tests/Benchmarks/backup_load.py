#!/usr/bin/env python3
"""Writes at a fixed rate on a large town, without and beside a backup, without and with the archive; then the backup is restored.

Usage: backup_load.py SPARK_BINARY [--people N] [--rate R] [--seconds S] [--rounds R] [--connections C] [--town DIRECTORY] [--most RATIO]
Swipes, messages and moves are due at fixed times (open_load.c); latencies count from then. Each round has a span without a backup and one
of `spark backup` to a directory on the same disk. Beside them: the largest size of the write-ahead log, and how long the writer waited in
SQLite's log hook and for the archive (log_wait.c). Then `sqlite3 .backup` is tried beside the same load, and both again without load. The
last backup is restored into a new directory; `spark check --deep` must be content, the rows must be as many as the backup says, and each
message must be there if it was acknowledged before the backup's time, and must not if it was sent after its end. Exit code 1 when something
is wrong, or when p99 beside a backup is more than --most times that without one (median of the rounds; 0: no time is judged). --town
takes a seeded data directory instead of making one. Needs cc and sqlite3.
"""
import argparse, glob, json, os, shutil, statistics, subprocess, sys, tempfile, threading, time
import open_load, spark_server
from datetime import datetime
from open_load import Latencies, LogWaits, OpenLoad
from spark_server import OtherWork, Server
from writes import KINDS, Load

WARM, SETTLE, LONGEST = 3.0, 5.0, 60.0
# By how much the clocks of this program and of the server may differ, in seconds.
MARGIN = 0.01


class Largest:
    """Watches the size of a file."""

    def __init__(self, path):
        self.path, self.bytes, self.is_over = path, 0, False
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.is_over:
            try:
                self.bytes = max(self.bytes, os.stat(self.path).st_size)
            except OSError:
                pass
            time.sleep(0.05)

    def end(self):
        self.is_over = True
        self.thread.join()
        return self.bytes


def requests(load, count, seed):
    """Swipes, messages and moves by turns."""
    parts = [load.requests(kind, count // len(KINDS) + 1, seed + number) for number, kind in enumerate(KINDS)]
    for number in range(count):
        kind = number % len(KINDS)
        yield (kind, *next(parts[kind]))


def run(command):
    """A verb's answer and its time in seconds."""
    begin = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])}: {done.returncode} {(done.stdout + done.stderr)[-1000:]}")
    return done.stdout, time.monotonic() - begin


def megabytes(count):
    return f"{count / 1e6:,.0f} MB"


class Faults(list):
    def add(self, is_well, text):
        if not is_well:
            self.append(text)


def phase(a, work, town, load, has_archive, faults):
    """One server under load. Returns the ratios of its rounds, and what is needed to look at its last backup."""
    data, place, waits = f"{work}/run", f"{work}/place", f"{work}/waits"
    for folder in (data, place):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(town, data)
    tokens = load.log_in(a.spark, data)
    settings = spark_server.OPEN + spark_server.BUSY + ([f"backup.to={place}", "backup.drill=false"] if has_archive else [])
    sent = list(requests(load, int(a.rate * (WARM + a.rounds * (a.seconds + SETTLE + LONGEST) + a.peer_seconds + 5)), 1))
    quiet, during, peer, ratios = [], [], [], []
    with Server(a.spark, data, settings, LogWaits.environment(work, waits)) as server:
        # The archive begins with a backup of its own.
        until = time.time() + 600
        while has_archive and not glob.glob(f"{place}/backups/*/manifest.json"):
            faults.add(time.time() < until, "the archive's first backup did not come")
            if time.time() > until:
                return [], None
            time.sleep(0.2)
        clock = time.time() - time.monotonic()
        others, cpu = OtherWork(), spark_server.processor_seconds(server.pid)
        traffic = OpenLoad(work, server.target, tokens, sent, a.rate, a.connections)
        begin = time.monotonic()
        time.sleep(WARM)
        log, spans, first = {"quiet": 0, "during": 0}, [], LogWaits(waits)
        held = {"quiet": [], "during": []}
        for _ in range(a.rounds):
            watch, before, start = Largest(f"{data}/spark.db-wal"), LogWaits(waits), time.monotonic()
            time.sleep(a.seconds)
            quiet.append((start, time.monotonic()))
            log["quiet"] = max(log["quiet"], watch.end())
            held["quiet"].append((before, LogWaits(waits)))
            watch, before, start = Largest(f"{data}/spark.db-wal"), LogWaits(waits), time.monotonic()
            answer, _ = run([a.spark, "backup", place, "--data", data, "--json"])
            during.append((start, time.monotonic()))
            log["during"] = max(log["during"], watch.end())
            held["during"].append((before, LogWaits(waits)))
            backup = json.loads(answer)
            log["during"] = max(log["during"], backup["largest_wal_bytes"])
            time.sleep(SETTLE)
        if a.peer_seconds and not has_archive:
            start = time.monotonic()
            copying = subprocess.Popen(["sqlite3", f"{data}/spark.db", ".timeout 1000", f".backup {work}/copy"], stderr=subprocess.DEVNULL)
            try:
                copying.wait(a.peer_seconds)
                text = f"sqlite3 .backup beside the load took {time.monotonic() - start:.1f} s" if copying.returncode == 0 else \
                    "sqlite3 .backup beside the load failed"
            except subprocess.TimeoutExpired:
                copying.kill()
                copying.wait()
                text = f"sqlite3 .backup beside the load had not ended after {a.peer_seconds} s"
            peer.append((start, time.monotonic()))
            print(text)
        faults.add(traffic.process.poll() is None, "the load ended before the backups")
        used, busy = spark_server.processor_seconds(server.pid) - cpu, traffic.processor_seconds()
        elapsed, others.known = time.monotonic() - begin, used + busy
        records, counted = traffic.stop()
        last = LogWaits(waits)
        print(f"archive {'on' if has_archive else 'off'}: {counted['sent']} writes in {elapsed:.0f} s, {used / elapsed:.2f} processors of the "
              f"server, {busy / elapsed:.2f} of the load; {others}")
        print(f"backups beside the load took {', '.join(f'{end - start:.1f}' for start, end in during)} s; "
              f"{megabytes(backup['stored_bytes'])} of {megabytes(backup['database_bytes'])}")
    faults.add(counted["failed"] == 0, f"{counted['failed']} writes failed: {counted['failure']}")
    refused = sum(not record.is_well for record in records)
    faults.add(refused <= len(records) / 100, f"{refused} of {len(records)} writes were refused")
    print(f"{'':22}{'a second':>9}{'p50 ms':>8}{'p95':>7}{'p99':>8}{'p99.9':>8}{'most':>8}   {'log':>9}   "
          f"hook p99, most ms   archive's hold, most ms")

    def row(name, spans, size, held):
        found = Latencies(records, spans)
        waited = [after.since(before, 0) for before, after in held]
        ends = [after.since(before, 1) for before, after in held]
        hook = f"{max(w[2] for w in waited):.3f}, {max(w[3] for w in waited):.2f}" if held else ""
        hold = f"{sum(e[0] for e in ends)} times, {max(e[3] for e in ends):.2f}" if held else ""
        print(f"{name:22}{found.rate:9,.0f}{found.p50:8.2f}{found.p95:7.2f}{found.p99:8.2f}{found.p999:8.1f}{found.most:8.1f}   "
              f"{megabytes(size) if size else '':>9}   {hook:17}   {hold}")
        return found

    row("without a backup", quiet, log["quiet"], held["quiet"])
    row("beside a backup", during, log["during"], held["during"])
    row("after it", [(end, end + SETTLE) for _, end in during], 0, [])
    if peer:
        row("beside sqlite3 .backup", peer, 0, [])
    for kind, name in enumerate(KINDS):
        own = [record for record in records if record.kind == kind]
        one, two = Latencies(own, quiet), Latencies(own, during)
        print(f"  {name}s: p50 {one.p50:.2f} and {two.p50:.2f}, p99 {one.p99:.2f} and {two.p99:.2f} ms without and beside a backup")
    total, p50, p99, most = last.since(first, 0)
    print(f"  log hook: {total} commits, p50 {p50:.3f}, p99 {p99:.3f}, most {most:.2f} ms")
    total, p50, p99, most = last.since(first, 1)
    print(f"  held for the archive before the log was begun anew: {total} times, p50 {p50:.3f}, most {most:.2f} ms")
    for before, beside in zip(quiet, during):
        ratios.append(Latencies(records, [beside]).p99 / max(1e-9, Latencies(records, [before]).p99))
    print(f"  p99 beside a backup / without: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
    return ratios, (data, place, backup, records, sent, clock, during[-1][1])


def restored(a, work, place, backup, records, sent, clock, ended, faults):
    """Restores a backup of the load, and compares it with what was acknowledged.

    What was acknowledged before the time that the backup says is in it. It may also have what came while it began; what was sent after its
    command had ended is not in it.
    """
    new = f"{work}/restored"
    shutil.rmtree(new, ignore_errors=True)
    _, took = run([a.spark, "restore", place, "--backup", backup["backup"], "--data", new, "--json"])
    _, checked = run([a.spark, "check", "--deep", "--data", new])
    with open(f"{place}/backups/{backup['backup']}/manifest.json") as file:
        rows = json.load(file)["rows"]
    moment = datetime.fromisoformat(backup["taken_at"]).timestamp() - clock
    with spark_server.database(new) as tables:
        compared = 0
        for table, count in rows.items():
            # What the server itself keeps about this database begins anew with a restored one.
            if table.startswith("spark_"):
                continue
            found = tables.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
            faults.add(found == count, f"{table} has {found} rows, the backup has {count}")
            compared += count
        stored = {row[0] for row in tables.execute("SELECT client_id FROM chat_messages WHERE client_id LIKE 'c-%'")}
    before, after = 0, 0
    for record in records:
        _, _, _, _, body = sent[record.index]
        if record.kind != KINDS.index("message") or not record.is_well:
            continue
        if record.answered < moment - MARGIN:
            before += 1
            faults.add(body["client_id"] in stored, f"{body['client_id']} was acknowledged before the backup and is not in it")
        elif record.due > ended + MARGIN:
            after += 1
            faults.add(body["client_id"] not in stored, f"{body['client_id']} was sent after the backup and is in it")
    faults.add(before > 0 and after > 0, "the backup is not within the load")
    print(f"restored in {took:.1f} s, spark check --deep {checked:.1f} s; {compared:,} rows as the backup says; of the load's messages "
          f"{before} were acknowledged before its time and are there, {after} came after its end and are not")


def without_load(a, work, data):
    """Both kinds of backup of the same database, without a server."""
    times, sizes = {"spark": [], "sqlite3": []}, {}
    for _ in range(a.rounds):
        place, copy = f"{work}/alone-{len(times['spark'])}", f"{work}/copy"
        answer, took = run([a.spark, "backup", place, "--data", data, "--json"])
        times["spark"].append(took)
        sizes["spark"] = json.loads(answer)["stored_bytes"]
        if os.path.exists(copy):
            os.remove(copy)
        times["sqlite3"].append(run(["sqlite3", f"{data}/spark.db", f".backup {copy}"])[1])
        sizes["sqlite3"] = os.stat(copy).st_size
        os.remove(copy)
    for name, title in (("spark", "spark backup"), ("sqlite3", "sqlite3 .backup")):
        print(f"without load, {title}: {statistics.median(times[name]):.1f} s, {megabytes(sizes[name])}")


def main():
    sys.stdout.reconfigure(line_buffering=True)
    parser = argparse.ArgumentParser()
    parser.add_argument("spark")
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--peer-seconds", type=int, default=30)
    parser.add_argument("--town")
    parser.add_argument("--most", type=float, default=2)
    a = parser.parse_args()
    if absent := spark_server.missing("cc", "sqlite3"):
        print(f"skipped: {absent} is not installed")
        return 0
    a.spark = os.path.abspath(a.spark)
    work, faults = tempfile.mkdtemp(prefix="spark-backup-"), Faults()
    try:
        open_load.build(work)
        town = a.town or f"{work}/town"
        if not a.town:
            spark_server.seed(a.spark, a.people, town)
        with spark_server.database(town) as rows:
            people = rows.execute("SELECT count(*) FROM accounts_users").fetchone()[0]
        load = Load(a.spark, town, people)
        print(f"{people:,} people, {a.rate} writes a second over {a.connections} connections")
        for has_archive in (False, True):
            ratios, rest = phase(a, work, town, load, has_archive, faults)
            if not rest:
                break
            data, place, backup, records, sent, clock, ended = rest
            restored(a, work, place, backup, records, sent, clock, ended, faults)
            if not has_archive:
                without_load(a, work, data)
            ratio = statistics.median(ratios)
            faults.add(not a.most or ratio <= a.most, f"p99 beside a backup is {ratio:.2f} times that without one; at most {a.most} is wanted")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print("FAIL: " + "\n  ".join(faults[:20]) if faults else "ok")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
