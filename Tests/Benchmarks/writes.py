#!/usr/bin/env python3
"""Swipes, messages and moves a second through the whole server, beside a C program that does only their database work.

Usage: writes.py SPARK_BINARY [--compare OTHER_BINARY] [--people N] [--seconds S] [--rounds R] [--connections C] [--kinds KIND ...]
Each round begins with the same seeded town. The C program (sqlite_harness.c) runs the statements of Spark's writer on the same tables, in
transactions of 1 and of 32; wrk sends requests to the server by HTTP. "disk" waits for the disk as Spark does; the time of these waits is
given apart. "no disk" skips the waits in both (disk_time.c), which shows the processors' work and varies less. Needs wrk and cc.
"""
import argparse, json, os, random, re, shutil, statistics, struct, subprocess, sys, tempfile
import spark_server
from spark_server import OtherWork, Server, processor_seconds, wire

HERE = os.path.dirname(os.path.abspath(__file__))
KINDS = ("swipe", "message", "move")
VIEWERS = 2_000
GROUP = 32


def build(work):
    """Compiles the C program, and the library that is loaded before a server's own."""
    compiler = ["cc", "-O2", "-Wall"]
    subprocess.run([*compiler, "-o", f"{work}/harness", f"{HERE}/sqlite_harness.c", f"{HERE}/disk_time.c", "-lsqlite3", "-lspatialite"], check=True)
    subprocess.run([*compiler, "-shared", "-fPIC", "-o", f"{work}/disk_time.so", f"{HERE}/disk_time.c"], check=True)


class Load:
    """The people who act in a town, and the requests they make."""

    def __init__(self, spark, data, people):
        with spark_server.database(data) as rows:
            visible = "SELECT id FROM profiles_users WHERE closed = 0 AND paused = 0 AND incognito = 0"
            self.everybody = [wire("usr", row[0]) for row in rows.execute(visible)]
            pairs = rows.execute("SELECT id, user_a, user_b FROM chat_conversations WHERE ended_at IS NULL").fetchall()
            chatting = sorted({user for pair in pairs for user in pair[1:]})
            homes = rows.execute("SELECT id, location FROM profiles_users WHERE location IS NOT NULL AND closed = 0").fetchall()
        # People who chat act first, so that most conversations have a sender.
        chat = set(chatting)
        chosen = (chatting + [user for user, _ in homes if user not in chat])[:min(VIEWERS, people // 2)]
        acting = set(chosen)
        self.place = {user: struct.unpack("<dd", point[43:59]) for user, point in homes if user in acting}
        self.users = [user for user in chosen if user in self.place]
        number = {user: index for index, user in enumerate(self.users)}
        self.conversations = [(number[user], wire("cnv", pair[0])) for pair in pairs for user in pair[1:] if user in number]
        self.people = people

    def log_in(self, spark, data):
        return spark_server.tokens(spark, data, [wire("usr", user) for user in self.users])

    def requests(self, kind, count, seed):
        """The person, method, path and body of each request."""
        dice = random.Random(seed)
        for number in range(count):
            who = dice.randrange(len(self.users))
            if kind == "swipe":
                body = {"target_id": dice.choice(self.everybody), "action": "like" if dice.random() < 0.4 else "pass"}
                yield who, "POST", "/api/v1/swipes", body
            elif kind == "message":
                who, conversation = dice.choice(self.conversations)
                body = {"client_id": f"c-{number}-aaaaaaaaaaaaaaaa", "text": "Shall we meet at the old bridge tomorrow at seven?"}
                yield who, "POST", f"/api/v1/conversations/{conversation}/messages", body
            else:
                longitude, latitude = self.place[self.users[who]]
                body = {"latitude": max(-89, min(89, latitude + dice.uniform(-0.1, 0.1))),
                        "longitude": max(-179, min(179, longitude + dice.uniform(-0.1, 0.1)))}
                yield who, "PUT", "/api/v1/me/location", body


def script(work, name, tokens, requests):
    """A program for wrk that sends these requests one after the other."""
    with open(f"{work}/{name}.requests", "w") as file:
        for who, method, path, body in requests:
            file.write(f"{tokens[who]} {method} {path} {json.dumps(body)}\n")
    with open(f"{work}/{name}.lua", "w") as file:
        file.write(f"""local requests, turn = {{}}, 0
for line in io.lines("{work}/{name}.requests") do
  local token, method, path, body = line:match("(%S+) (%S+) (%S+) (.*)")
  requests[#requests + 1] = method .. " " .. path .. " HTTP/1.1\\r\\nHost: spark\\r\\nAuthorization: Bearer " .. token ..
    "\\r\\nContent-Type: application/json\\r\\nContent-Length: " .. #body .. "\\r\\n\\r\\n" .. body
end
request = function() turn = turn % #requests + 1; return requests[turn] end
""")
    return f"{work}/{name}.lua"


def harness(work, data, kind, seconds, group, has_disk):
    """One run of the C program on a copy of the town."""
    shutil.rmtree(f"{work}/run", ignore_errors=True)
    shutil.copytree(data, f"{work}/run")
    environment = {**os.environ, **({} if has_disk else {"DISK_TIME_SKIP": "1"})}
    done = subprocess.run([f"{work}/harness", f"{work}/run/spark.db", kind, str(seconds), str(group)], capture_output=True, text=True,
                          env=environment)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def whole_server(work, spark, data, load, tokens, kind, seconds, connections, seed, has_disk):
    """The same by HTTP."""
    shutil.rmtree(f"{work}/run", ignore_errors=True)
    shutil.copytree(data, f"{work}/run")
    times = f"{work}/disk"
    with open(times, "wb") as file:
        file.write(bytes(16))
    environment = {"LD_PRELOAD": f"{work}/disk_time.so", "DISK_TIME_FILE": times}
    if not has_disk:
        environment["DISK_TIME_SKIP"] = "1"
    lua = script(work, "load", tokens, load.requests(kind, int(20_000 * seconds), seed))
    with Server(spark, f"{work}/run", spark_server.OPEN + spark_server.BUSY, environment) as server:

        def disk():
            with open(times, "rb") as file:
                return struct.unpack("<QQ", file.read(16))

        before, waits = processor_seconds(server.pid), disk()
        out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "--latency", "-s", lua, server.url],
                             capture_output=True, text=True, check=True).stdout
        after, cpu = disk(), processor_seconds(server.pid) - before
    requests = int(re.search(r"(\d+) requests in", out).group(1))
    elapsed = requests / float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    done = requests - (int(refused.group(1)) if refused else 0)
    waited = (after[1] - waits[1]) / 1e9
    return {"per_second": done / elapsed, "cpu_us": cpu / requests * 1e6, "disk_us": waited / max(1, done) * 1e6, "disk_share": waited / elapsed,
            "per_wait": done / max(1, after[0] - waits[0]), "refused": requests - done}


def measure(spark, other=None, people=20_000, seconds=3, rounds=3, connections=64, only=None, harness_seconds=None):
    """Prints the table, and returns the ratios by name."""
    work, ratios, others = tempfile.mkdtemp(prefix="spark-writes-"), {}, OtherWork()
    binaries = {"spark": spark, **({"before": other} if other else {})}
    try:
        build(work)
        data, towns = f"{work}/data", {}
        spark_server.seed(list(binaries.values())[-1], people, data)
        for name, binary in binaries.items():
            # A start and a stop migrate the town to this version; its sessions are part of it.
            shutil.copytree(data, f"{work}/{name}")
            Server(binary, f"{work}/{name}").stop()
            load = Load(binary, f"{work}/{name}", people)
            towns[name] = (binary, f"{work}/{name}", load, load.log_in(binary, f"{work}/{name}"))
        print(f"{'':9}{'':9}{'':22}{'a second':>10}{'CPU us':>8}{'disk us':>9}{'disk':>7}{'a wait':>8}{'/C':>7}")
        for kind in KINDS:
            for has_disk in (True, False):
                place = "disk" if has_disk else "no disk"
                rows = [f"{kind}s{'' if has_disk else ', no disk'}/C"] + ([f"{kind}s a wait/C"] if has_disk else [])
                if only is not None and not set(rows) & set(only):
                    continue
                samples = {}
                for turn in range(rounds):
                    for group in (1, GROUP):
                        samples.setdefault(f"C, {group} a transaction", []).append(
                            harness(work, towns["spark"][1], kind, harness_seconds or seconds, group, has_disk))
                    for name, (binary, town, load, tokens) in towns.items():
                        # Tokens last a quarter of an hour.
                        samples.setdefault(name, []).append(
                            whole_server(work, binary, town, load, tokens, kind, seconds, connections, turn, has_disk))
                peers = samples[f"C, {GROUP} a transaction"]
                for label, own in samples.items():
                    middle = {key: statistics.median(sample[key] for sample in own) for key in own[0] if key != "kind"}
                    share = statistics.median(a["per_second"] / b["per_second"] for a, b in zip(own, peers))
                    each = middle.get("per_wait") or middle["per_transaction"]
                    print(f"{kind:9}{place:9}{label:22}{middle['per_second']:10.0f}{middle['cpu_us']:8.1f}"
                          + (f"{middle['disk_us']:9.1f}{middle['disk_share']:7.0%}" if has_disk else " " * 16) + f"{each:8.1f}{share:7.2f}"
                          + (f"  refused {middle['refused']:.0f}" if middle.get("refused") else ""), flush=True)
                    if label == "spark":
                        ratios[rows[0]] = share
                        if has_disk:
                            ratios[rows[1]] = middle["per_wait"] / GROUP
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(others)
    return ratios


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spark")
    parser.add_argument("--compare", help="an earlier binary, measured in the same rounds")
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    a = parser.parse_args()
    absent = spark_server.missing("wrk", "cc")
    if absent:
        print(f"skipped: {absent} is not installed")
        return 0
    measure(os.path.abspath(a.spark), os.path.abspath(a.compare) if a.compare else None, a.people, a.seconds, a.rounds, a.connections,
            [row for kind in a.kinds for row in (f"{kind}s/C", f"{kind}s, no disk/C")])
    return 0


if __name__ == "__main__":
    sys.exit(main())
