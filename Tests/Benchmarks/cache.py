#!/usr/bin/env python3
"""The cache beside its peers, in one run, and the simulator beside libCacheSim on the same traces.

Usage: cache.py SPARK_BENCH_BINARY [--size small|full] [--traces NAME,NAME…] [--no-judge] [--no-peers]
The peers listen on Unix sockets in a temporary directory; every process it starts it ends. Needs redis-server and memcached;
the judge needs the network once, for `pip install libcachesim` into that directory.
"""
import argparse, json, os, shutil, socket, subprocess, sys, tempfile, time

POLICIES = {  # ours: how libCacheSim calls it
    "FIFO": "l.FIFO(c)",
    "LRU": "l.LRU(c)",
    "SIEVE": "l.Sieve(c)",
    "S3-FIFO": "l.S3FIFO(c)",
    "W-TinyLFU 1%": "l.WTinyLFU(c, window_size=0.01)",
    "W-TinyLFU 20%": "l.WTinyLFU(c, window_size=0.2)",
    "Belady": "l.Belady(c)",
    "Belady, by size": "l.BeladySize(c)",
}

JUDGE = """
import json, sys, libcachesim as l
path, policies = sys.argv[1], json.loads(sys.argv[2])
for capacity in map(int, sys.argv[3:]):
    for name, make in policies.items():
        reader = l.TraceReader(path, l.TraceType.ORACLE_GENERAL_TRACE)
        cache = eval(make, {"l": l, "c": capacity})
        print(json.dumps([capacity, name, cache.process_trace(reader)[0]]), flush=True)
"""


def start(processes, command, path):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    processes.append(process)
    for _ in range(500):
        if process.poll() is not None:
            sys.exit(f"{command[0]} ended with {process.returncode}")
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(path)
            return
        except OSError:
            time.sleep(0.01)
    sys.exit(f"{command[0]} does not listen")


def run_peers(spark_bench, work, size):
    processes = []
    redis, memcached, extstore = (f"{work}/{name}.sock" for name in ("redis", "memcached", "extstore"))
    user = ["-u", "root"] if os.getuid() == 0 else []
    try:
        start(processes, ["redis-server", "--port", "0", "--unixsocket", redis, "--save", "", "--appendonly", "no",
                          "--dir", work], redis)
        start(processes, ["memcached", *user, "-s", memcached, "-m", "512", "-t", "2"], memcached)
        # The free ratio lets it keep the heads of all entries in its 64 MB; without it most are lost.
        start(processes, ["memcached", *user, "-s", extstore, "-m", "64", "-t", "2", "-o",
                          f"ext_path={work}/extstore:1G,ext_threads=2,ext_wbuf_size=8,ext_max_sleep=1000,"
                          "ext_item_age=0,slab_automove_freeratio=0.05"], extstore)
        command = [spark_bench, "cache", "--json", "--size", size]
        for name, path in (("redis", redis), ("memcached", memcached), ("extstore", extstore)):
            command += ["--peers", f"{name}={path}"]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def show(report):
    def bar(name, value, unit, limit, at_most=True):
        met = value <= limit if at_most else value >= limit
        print(f"{name:44} {value:12,.2f} {unit:6} bar {'≤' if at_most else '≥'} {limit:<8g} {'met' if met else 'NOT MET'}")

    bar("get, 1 KB, two threads", report["get_ns"], "ns", 150)
    bar("put, 1 KB, two threads", report["put_ns"], "ns", 250)
    print(f"{'dictionary under one lock: get':44} {report['dictionary_get_ns']:12,.2f} ns")
    print(f"{'dictionary under one lock: put':44} {report['dictionary_put_ns']:12,.2f} ns")
    bar("hit from disk, p50", report["spill_p50_us"], "µs", 3)
    print(f"{'hit from disk, p99':44} {report['spill_p99_us']:12,.2f} µs")
    bar("hits from disk, two threads", report["spill_hits_per_second"], "/s", 400_000, at_most=False)
    print(f"{'fill, one thread':44} {report['spill_puts_per_second']:12,.0f} /s")
    print(f"{'each byte is written':44} {report['write_amplification']:12,.2f} times")
    print(f"{'bytes on disk for a raw byte':44} {report['disk_bytes_per_raw_byte']:12,.2f}")
    bar("memory for an entry on disk", report["index_bytes_per_entry"], "bytes", 30)
    bar("hit ratio, dating trace", report["hit_ratio"] * 100, "%", 94, at_most=False)
    print(f"{'  the seeds TTLs, delete on write, no bound':44} {report['hit_ratio_short_ttl'] * 100:12,.2f} %")
    print(f"{'  the seeds TTLs, write-through, no bound':44} {report['hit_ratio_short_ttl_write_through'] * 100:12,.2f} %")
    dating = report["dating"]
    print(f"{'  loads a read, all kinds':44} {dating['loads_per_read']:12,.3f}")
    print(f"{'  wrong answers of ' + format(dating['reads'], ','):44} {dating['wrong_answers']:12,.0f}")
    print()
    print(f"{'peer':10} {'verb':4} {'conn.':>5} {'pipeline':>8} {'requests/s':>12} {'p50 µs':>8} {'p99 µs':>8} {'hits':>6}"
          f"  Spark, as many threads, is so many times as fast")
    for peer in report["peers"]:
        if peer["peer"] == "extstore":
            # Hits only: a miss is quick.
            ours = report["spill_hits_per_second"] / 2 * peer["connections"] / max(0.001, peer["hit_ratio"])
        else:
            ours = 1e9 / report[f"{peer['verb']}_ns"] * peer["connections"]
        hits = f"{peer['hit_ratio'] * 100:.0f} %" if "hit_ratio" in peer else ""
        print(f"{peer['peer']:10} {peer['verb']:4} {peer['connections']:5} {peer['pipeline']:8} {peer['requests_per_second']:12,}"
              f" {peer['p50_us']:8.1f} {peer['p99_us']:8.1f} {hits:>6}  {ours / peer['requests_per_second']:.1f}")


def judge(spark_bench, work, names, size):
    subprocess.run([sys.executable, "-m", "venv", f"{work}/venv"], check=True)
    subprocess.run([f"{work}/venv/bin/pip", "install", "-q", "--disable-pip-version-check", "libcachesim"], check=True)
    print("\nMiss ratios, reads only, nothing expires: ours / libCacheSim's")
    for name in names:
        path = f"{work}/{name}.bin"
        bench = [spark_bench, "cache", "--trace", name, "--size", size]
        written = json.loads(subprocess.run([*bench, "--write-trace", path], check=True, stdout=subprocess.PIPE, text=True).stdout)
        capacities = [written["footprint"] // 100, written["footprint"] // 20]
        ours = json.loads(subprocess.run(
            [*bench, "--json", "--capacities", ",".join(map(str, capacities))], check=True, stdout=subprocess.PIPE,
            text=True).stdout)["hit_ratios"]
        ours = {(row["capacity"], row["policy"]): 1 - row["hit_ratio"] for row in ours}
        out = subprocess.run(
            [f"{work}/venv/bin/python", "-c", JUDGE, path, json.dumps(POLICIES), *map(str, capacities)], check=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        theirs = {(row[0], row[1]): row[2] for row in map(json.loads, out.splitlines())}
        print(f"{name}, {written['requests']:,} reads, {written['footprint'] >> 20} MiB")
        for policy in POLICIES:
            cells = [f"{c >> 10:7} KiB {ours[c, policy]:.4f} / {theirs[c, policy]:.4f}" for c in capacities]
            print(f"  {policy:16} {'   '.join(cells)}")
        os.remove(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spark_bench")
    parser.add_argument("--size", choices=["small", "full"], default="full")
    parser.add_argument("--traces", default="zipf-0.9,zipf-1.0,scan,bursts,loop,dating")
    parser.add_argument("--no-judge", action="store_true")
    parser.add_argument("--no-peers", action="store_true")
    a = parser.parse_args()
    spark_bench = os.path.abspath(a.spark_bench)
    work = tempfile.mkdtemp(prefix="spark-bench-")
    try:
        if not a.no_peers:
            show(run_peers(spark_bench, work, a.size))
        if not a.no_judge:
            judge(spark_bench, work, a.traces.split(","), a.size)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
