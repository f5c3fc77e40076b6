#!/usr/bin/env python3
"""Restarts of a server whose socket belongs to another program, as systemd does it, under load; and how soon many streams are back.

Usage: restart.py SPARK_BINARY [--people N] [--rate R] [--restarts K] [--sockets S] [--at-once N] [--most SECONDS]
                  [--connections C] [--patience SECONDS]
Requests are due at fixed times (open_load.c): own profiles, cards, moves and messages. A client sends a request again whose kept connection
ended before a byte of an answer came, as HTTP clients do. Devices hold streams (stream_crowd.c), and the server is restarted: all come back
at once, without and with requests beside them, and then as the server's "bye" asks. After that it is restarted under requests alone, first
so that the new server starts after the old one has ended, as with systemd, then so that it starts beside the old one. Exit code 1 when a
request failed or was answered 429 or 5xx, or when devices that come at once were not all back within --most seconds of the stop (median; 0:
no time is judged). Needs cc.
"""
import argparse, os, random, shutil, statistics, subprocess, sys, tempfile, threading, time
import open_load, spark_server
from open_load import Latencies, OpenLoad
from spark_server import OtherWork, Server, processor_seconds, wire
from writes import Load

KINDS = ("own profile", "card", "move", "message")
BETWEEN = 3.0
LONGEST = 20.0


def requests(load, everybody, count, seed):
    dice, moves, messages = random.Random(seed), load.requests("move", count, seed), load.requests("message", count, seed)
    for _ in range(count):
        chance, who = dice.random(), dice.randrange(len(load.users))
        if chance < 0.5:
            yield 0, who, "GET", "/api/v1/me", None
        elif chance < 0.7:
            yield 1, who, "GET", f"/api/v1/users/{dice.choice(everybody)}?view=card", None
        elif chance < 0.85:
            yield (2, *next(moves))
        else:
            who, method, path, body = next(messages)
            yield 3, who, method, path, {**body, "client_id": f"{seed}{body['client_id']}"}


class Held:
    """The town's servers, one after the other on the same socket."""

    def __init__(self, a, data):
        self.a, self.data, self.socket = a, data, spark_server.held_socket()
        # Everybody comes from a few addresses.
        own = f"limits.connections_per_network={a.sockets + 1024}"
        kept = [setting for setting in spark_server.OPEN if not setting.startswith("limits.connections_per_network=")]
        self.settings = [*kept, own, *spark_server.BUSY, f"server.start_patience_seconds={a.patience}"]
        self.server = self.start()

    def start(self):
        return Server(self.a.spark, self.data, self.settings, held=self.socket)

    def restart(self, is_beside=False):
        """Returns when the stop began, when the old server had ended, and when the new one was ready, by the monotonic clock."""
        old, begin = self.server, time.monotonic()
        old.process.terminate()
        if is_beside:
            self.server = self.start()
            ready = time.monotonic()
            old.process.wait()
            ended = time.monotonic()
        else:
            old.process.wait()
            ended = time.monotonic()
            self.server = self.start()
            ready = time.monotonic()
        if old.process.returncode:
            raise RuntimeError(f"the server ended with {old.process.returncode}")
        return begin, ended, ready


class Crowd:
    """Devices with streams."""

    def __init__(self, work, target, tokens, at_once, obeys):
        with open(f"{work}/crowd", "w") as file:
            file.write("".join(f"{token}\n" for token in tokens))
        words = [f"{work}/stream_crowd", target[0], str(target[1]), f"{work}/crowd", str(at_once), *(["--obey"] if obeys else [])]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.said, self.changed = [], threading.Condition()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            word, number = line.split()
            with self.changed:
                self.said.append((word, float(number)))
                self.changed.notify_all()

    def all_since(self, begin, patience=120):
        """When everybody was there again after a loss later than `begin`; None if that does not happen in time."""
        def found():
            lost = [at for word, at in self.said if word == "lost" and at >= begin]
            return next((at for word, at in self.said if word == "all" and (at > lost[0] if lost else begin == 0)), None)

        with self.changed:
            self.changed.wait_for(found, patience)
            return found()

    def stop(self):
        self.process.terminate()
        self.process.wait()
        with self.changed:
            self.changed.wait_for(lambda: any(word == "failures" for word, _ in self.said), 5)
            return int(next((number for word, number in self.said if word == "failures"), -1))


def traffic(a, work, held, load, everybody, spark, seconds, seed):
    tokens = load.log_in(spark, held.data)
    return OpenLoad(work, held.server.target, tokens, requests(load, everybody, int(a.rate * seconds), seed), a.rate, a.connections)


def judge(records, counted, faults, text):
    bad = [record for record in records if record.status >= 429]
    if counted["failed"]:
        faults.append(f"{text}: {counted['failed']} requests failed: {counted['failure']}")
    if bad:
        faults.append(f"{text}: {len(bad)} answers were no answers, such as {bad[0].status} to {KINDS[bad[0].kind]}")


def restarts_under_load(a, work, held, load, everybody, faults):
    for is_beside in (False, True):
        text = "the new server starts beside the old one" if is_beside else "the new server starts after the old one"
        others = OtherWork()
        seconds = a.restarts * (BETWEEN + LONGEST)
        running = traffic(a, work, held, load, everybody, a.spark, seconds, 1 + is_beside)
        times = []
        for _ in range(a.restarts):
            time.sleep(BETWEEN)
            times.append(held.restart(is_beside))
        time.sleep(BETWEEN)
        records, counted = running.stop()
        judge(records, counted, faults, text)
        waits = [max((record.milliseconds for record in records if begin - 1 <= record.due < ready + 1), default=0) for begin, _, ready in times]
        quiet = Latencies(records, [(ready + 1, begin - 0.5) for (_, _, ready), (begin, _, _) in zip(times, times[1:])])
        others.known = processor_seconds(held.server.pid)
        print(f"{text}: {a.restarts} restarts, {counted['sent']} requests, {counted['failed']} failed, {counted['repeated']} sent again; {others}")
        print(f"  longest wait {max(waits):.0f} ms (of each restart: {', '.join(f'{wait:.0f}' for wait in waits)}); "
              f"between restarts p50 {quiet.p50:.2f}, p99 {quiet.p99:.2f} ms")
        if not is_beside:
            print(f"  the old server ends in {statistics.median(ended - begin for begin, ended, _ in times) * 1000:.0f} ms, the new one is ready "
                  f"after {statistics.median(ready - ended for _, ended, ready in times) * 1000:.0f} ms")


def streams(a, work, held, load, everybody, tokens, faults):
    for title, obeys, has_load, count in (("at once", False, False, a.restarts), ("at once, beside the requests", False, True, a.restarts),
                                          ("as the server asks", True, False, 1)):
        crowd, running = Crowd(work, held.server.target, tokens, a.at_once, obeys), None
        others = OtherWork()
        try:
            first = crowd.all_since(0)
            if first is None:
                faults.append(f"{title}: not all {a.sockets} streams could be opened")
                return
            if has_load:
                running = traffic(a, work, held, load, everybody, a.spark, count * (BETWEEN + LONGEST), 3)
            back, after = [], []
            for _ in range(count):
                time.sleep(BETWEEN)
                begin, ended, ready = held.restart()
                there = crowd.all_since(begin)
                if there is None:
                    faults.append(f"{title}: not all streams came back")
                    return
                back.append(there - begin)
                after.append(there - ready)
            others.known = processor_seconds(held.server.pid, crowd.process.pid, *([running.process.pid] if running else []))
            print(f"{a.sockets:,} streams come back {title}: all there {', '.join(f'{value:.1f}' for value in back)} s after the stop began, "
                  f"{', '.join(f'{value:.1f}' for value in after)} s after the next server was ready; {others}")
            if a.most and not obeys and statistics.median(back) > a.most:
                faults.append(f"{title}: {statistics.median(back):.1f} s; at most {a.most} s is wanted")
            if running:
                records, counted = running.stop()
                running = None
                judge(records, counted, faults, title)
                found = Latencies(records, [(0, float("inf"))])
                print(f"  beside them {counted['sent']} requests, {counted['failed']} failed, {counted['repeated']} sent again, longest wait "
                      f"{found.most:.0f} ms")
        finally:
            if running:
                running.stop()
            print(f"  attempts to connect that failed: {crowd.stop()}")


def main():
    sys.stdout.reconfigure(line_buffering=True)
    parser = argparse.ArgumentParser()
    parser.add_argument("spark")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--rate", type=int, default=2_000)
    parser.add_argument("--restarts", type=int, default=5)
    parser.add_argument("--sockets", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=512)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--most", type=float, default=5)
    parser.add_argument("--patience", type=int, default=2)
    a = parser.parse_args()
    if absent := spark_server.missing("cc"):
        print(f"skipped: {absent} is not installed")
        return 0
    a.spark = os.path.abspath(a.spark)
    work, faults, held = tempfile.mkdtemp(prefix="spark-restart-"), [], None
    data = f"{work}/data"
    try:
        open_load.build(work)
        spark_server.seed(a.spark, a.people, data)
        load = Load(a.spark, data, a.people)
        with spark_server.database(data) as rows:
            everybody = [wire("usr", row[0]) for row in rows.execute(
                "SELECT id FROM profiles_users WHERE closed = 0 AND paused = 0 AND incognito = 0 ORDER BY random() LIMIT 5000")]
            crowd = [wire("usr", row[0]) for row in rows.execute(
                "SELECT id FROM profiles_users WHERE closed = 0 ORDER BY id LIMIT ?", (a.sockets,))]
        a.sockets = len(crowd)
        tokens = spark_server.tokens(a.spark, data, crowd)
        held = Held(a, data)
        print(f"{a.people:,} people, {a.rate} requests a second over {a.connections} connections")
        streams(a, work, held, load, everybody, tokens, faults)
        restarts_under_load(a, work, held, load, everybody, faults)
    finally:
        if held:
            held.server.stop()
        shutil.rmtree(work, ignore_errors=True)
    print("FAIL: " + "\n  ".join(faults[:20]) if faults else "ok")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
