#!/usr/bin/env python3
"""Spark's decks beside tuned PostGIS and Redis: the 50 nearest whose filters hold both ways, of the same people, in one run.

Usage: match.py SPARK_BINARY [--people N] [--probes N] [--rounds N] [--variants] [--server | --server-only] [--json]
Each engine's answers are compared with Spark's, which `spark-bench match --export` writes. The peers listen on Unix sockets in a
temporary directory; every process it starts it ends. Rounds of the engines alternate; a figure is the median of its rounds.
Exit code 1 when an engine answers otherwise than Spark.
--server measures decks over HTTP as well, from a store of so many people.
"""
import argparse, http.client, json, os, shutil, signal, statistics, subprocess, sys, tempfile, time
from match_postgis import PostGIS, VARIANTS
from match_redis import Redis
from match_town import Town, percentiles


def middle(rounds):
    """The median of each figure."""
    return {key: round(statistics.median(r[key] for r in rounds), 1) for key in rounds[0]}


def log(text):
    print(text, file=sys.stderr, flush=True)


def bench(spark, arguments, export=None):
    # The benchmarks' binary is built beside the server's.
    command = [f"{os.path.dirname(spark)}/spark-bench", "match", "--people", str(arguments.people), "--probes", str(arguments.probes), "--compare", "0",
               "--json"]
    if export:
        command += ["--export", export]
    report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return {**{f"p{q}": report[f"nearest_p{q}_us"] for q in (50, 95, 99)}, "one": 1e6 / report["nearest_mean_us"],
            "two": report["decks_per_s"]}


def fastest(postgis, variants):
    """The variant that takes the least time in all."""
    found = {}
    for variant in variants:
        postgis.use(variant)
        postgis.measure(limit=300)
        times = postgis.measure(limit=300)
        found[variant] = statistics.mean(times)
        p = percentiles(times)
        log(f"PostGIS, {variant}: mean {found[variant]:,.0f} µs, p50 {p['p50']:,.0f}, p95 {p['p95']:,.0f}, p99 {p['p99']:,.0f}")
    return min(found, key=found.get)


def compare_engines(spark, work, a):
    engines, agreed = {"Spark": []}, {}
    log("Spark: people, probes, answers")
    export = f"{work}/export"
    engines["Spark"].append(bench(spark, a, export))
    town = Town(export)
    peers = []
    try:
        log("PostGIS: load")
        postgis = PostGIS(town, work)
        peers.append(postgis)
        variants = VARIANTS if a.variants else VARIANTS[:1]
        postgis.load(export, variants)
        postgis.use(fastest(postgis, variants) if a.variants else variants[0])
        log("Redis: load")
        redis = Redis(town, work)
        peers.append(redis)
        redis.load()
        for name, engine in (("PostGIS", postgis), ("Redis", redis)):
            log(f"{name}: answers compared, and warmed by it")
            agreed[name] = sum(town.agrees(number, ids) for number, ids in engine.answers())
        for number in range(a.rounds):
            log(f"round {number + 1} of {a.rounds}")
            if number:
                engines["Spark"].append(bench(spark, a))
            times = postgis.measure()
            engines.setdefault("PostGIS", []).append(
                {**percentiles(times), "one": 1e6 / statistics.mean(times), "two": postgis.rate_of_two()})
            times, inside = redis.measure()
            rates = {"one": 1e6 / statistics.mean(times), "two": redis.rate_of_two()}
            engines.setdefault("Redis", []).append({**percentiles(times), **rates})
            rates = {"one": 1e6 / statistics.mean(inside)}
            engines.setdefault("Redis, its server alone", []).append({**percentiles(inside), **rates})
    finally:
        for peer in peers:
            peer.stop()
    return {
        "people": a.people, "probes": a.probes, "rounds": a.rounds, "postgis_variant": postgis.variant,
        "agreeing": agreed, "nonempty": sum(1 for ids in town.answers if ids),
        "engines": {name: middle(rounds) for name, rounds in engines.items()}}


def show(report):
    print(f"{report['people']:,} people, {report['probes']:,} viewers ({report['nonempty']:,} with a deck), the 50 "
          f"nearest, medians of {report['rounds']} rounds")
    print(f"{'':26}{'p50 µs':>10}{'p95 µs':>10}{'p99 µs':>10}{'1 client/s':>12}{'2 clients/s':>12}{'× p50':>8}{'× p95':>8}"
          "  same ids")
    ours = report["engines"]["Spark"]
    for name, row in report["engines"].items():
        two = f"{row['two']:,.0f}" if row.get("two") else ""
        same = f"{report['agreeing'][name]:,} of {report['probes']:,}" if name in report["agreeing"] else ""
        print(f"{name:26}{row['p50']:10,.0f}{row['p95']:10,.0f}{row['p99']:10,.0f}{row['one']:12,.0f}{two:>12}"
              f"{row['p50'] / ours['p50']:8,.1f}{row['p95'] / ours['p95']:8,.1f}  {same}")
    print(f"PostGIS: {report['postgis_variant']}")


def memory(pid):
    """Resident memory in MB: all of it, and what is the process's own."""
    with open(f"/proc/{pid}/status") as f:
        fields = dict(line.split(":", 1) for line in f)
    return [int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon")]


def request(connection, path, headers=None):
    connection.request("GET", path, headers=headers or {})
    answer = connection.getresponse()
    return answer.status, answer.read()


def measure_server(spark, work, people, viewers=500):
    """Decks over HTTP, one viewer after the other on one connection: the first and the second answer of each."""
    data = f"{work}/data"
    log(f"server: seed {people:,} people")
    subprocess.run([spark, "seed", "--people", str(people), "--data", data], check=True, stdout=subprocess.DEVNULL)
    began = time.monotonic()
    server = subprocess.Popen(
        [spark, "serve", "--data", data, "--listen", "127.0.0.1:0", "--set", "http.reads_per_minute=0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        address = json.loads(server.stdout.readline())["url"].removeprefix("http://")
        connection = http.client.HTTPConnection(address)
        while request(connection, "/readyz")[0] != 200:
            time.sleep(0.005)
        ready = time.monotonic() - began
        resident, own = memory(server.pid)
        step = max(1, people // viewers)
        emails = [f"person{i}@demo.invalid" for i in range(1, people, step)][:viewers]
        tokens = subprocess.run([spark, "token", "--data", data, *emails], check=True, stdout=subprocess.PIPE,
                                text=True).stdout.split()
        passes = []
        for _ in range(2):
            times = []
            for token in tokens:
                headers = {"Authorization": f"Bearer {token}"}
                start = time.perf_counter()
                status, _ = request(connection, "/api/v1/matches/suggestions?limit=20", headers)
                times.append((time.perf_counter() - start) * 1e6)
                if status != 200:
                    sys.exit(f"a deck was answered {status}")
            passes.append({k: round(v) for k, v in percentiles(times).items()})
        resident_after, own_after = memory(server.pid)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
    return {"people": people, "viewers": len(tokens), "ready_ms": round(ready * 1000), "resident_mb": round(resident),
            "own_mb": round(own), "resident_after_mb": round(resident_after), "own_after_mb": round(own_after),
            "first_us": passes[0], "second_us": passes[1]}


def show_server(r):
    print(f"\nserver with {r['people']:,} people: ready after {r['ready_ms']:,} ms, memory {r['resident_mb']:,} MB resident, "
          f"{r['own_mb']:,} MB its own; after {r['viewers']} decks {r['resident_after_mb']:,} and {r['own_after_mb']:,} MB")
    for name, row in (("first", r["first_us"]), ("second", r["second_us"])):
        print(f"deck of 20 over HTTP, one client, {name:6} request  p50 {row['p50']:8,} µs  p95 {row['p95']:8,} µs"
              f"  p99 {row['p99']:8,} µs")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spark")
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--probes", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--variants", action="store_true", help="try all tunings of PostGIS and keep the fastest")
    parser.add_argument("--server", action="store_true", help="measure decks over HTTP, too")
    parser.add_argument("--server-only", action="store_true", help="measure nothing else")
    parser.add_argument("--json", action="store_true")
    a = parser.parse_args()
    # So that a driver that gets SIGTERM still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    spark = os.path.abspath(a.spark)
    work = tempfile.mkdtemp(prefix="spark-match-")
    report = {}
    try:
        if not a.server_only:
            report = compare_engines(spark, work, a)
            if not a.json:
                show(report)
        if a.server or a.server_only:
            report["server"] = measure_server(spark, work, a.people)
            if not a.json:
                show_server(report["server"])
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if a.json:
        print(json.dumps(report))
    if any(count != a.probes for count in report.get("agreeing", {}).values()):
        sys.exit(1)


main()
