#!/usr/bin/env python3
"""Everything that has a threshold, in one run: routes beside nginx, writes beside C over libsqlite3, cache and deck search beside plain code.

Usage: bench.py SPARK_BINARY SPARK_BENCH_BINARY [--compare OTHER_BINARY] [--only PART ...] [--write FILE] [--smoke]
The parts are edge, writes and ratios. A row that falls below its threshold (thresholds.json) is measured once more, alone. Exit code 1 when
one stays below, with its name, or when a request failed. --compare also measures an earlier server in the same rounds. --write keeps the
ratios for judge.py. --smoke runs everything with tiny numbers, to see that it works, and judges only that each row was measured. A part
whose programs are not installed is skipped by name.
"""
import argparse, json, os, subprocess, sys
import edge, judge, spark_server, writes

PARTS = {"edge": ("wrk", "nginx"), "writes": ("wrk", "cc"), "ratios": ()}
TINY = {"edge": {"people": 300, "seconds": 1, "rounds": 1, "viewers": 20, "connections": 32, "slow": 4},
        "writes": {"people": 1_000, "seconds": 1, "rounds": 1, "connections": 8, "harness_seconds": 0.2}}
# Each kind of measurement once.
TINY_ROWS = {"healthz/nginx", "location, CPU/nginx", "deck, crowd/nginx", "swipes/C", "messages, no disk/C", "moves/C"}


def part_of(row):
    """The part that measures a row of the thresholds."""
    return {"nginx": "edge", "C": "writes"}.get(row.rsplit("/", 1)[1], "ratios")


def measure(a, part, only=None):
    """The ratios of a part, and whether something failed. A part that cannot run raises."""
    sizes = TINY.get(part, {}) if a.smoke else {}
    if a.smoke:
        only = TINY_ROWS
    if part == "edge":
        ratios, failed = edge.measure(a.spark, a.compare, only=only, **sizes)
        return ratios, failed > 0
    if part == "writes":
        return writes.measure(a.spark, a.compare, only=only, **sizes), False
    others = spark_server.OtherWork()
    command = [a.bench, "ratios", *(["--small"] if a.smoke else [])]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True)
    ratios = json.loads(done.stdout)
    for name, ratio in ratios.items():
        print(f"{name:24}{ratio:8.2f}")
    print(others)
    return ratios, done.returncode != 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spark")
    parser.add_argument("bench")
    parser.add_argument("--compare")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--write")
    parser.add_argument("--smoke", action="store_true")
    a = parser.parse_args()
    a.spark, a.bench = os.path.abspath(a.spark), os.path.abspath(a.bench)
    a.compare = os.path.abspath(a.compare) if a.compare else None
    thresholds, figures, has_failed, measured = judge.load(), {}, False, []
    for part in a.only:
        absent = spark_server.missing(*PARTS[part])
        if absent:
            print(f"{part} skipped: {absent} is not installed", flush=True)
            continue
        measured.append(part)
        found, failed = measure(a, part)
        figures.update(found)
        has_failed = has_failed or failed
    # Rows of a skipped part are not judged.
    thresholds = {name: row for name, row in thresholds.items() if part_of(name) in measured}
    if a.smoke:
        # Its times mean nothing.
        thresholds = {name: (0, was) for name, (_, was) in thresholds.items() if part_of(name) == "ratios" or name in TINY_ROWS}
    for part in measured:
        again = [name for name in judge.fallen(thresholds, figures) if part_of(name) == part]
        if again and not a.smoke:
            print("once more:", ", ".join(again), flush=True)
            found, failed = measure(a, part, again)
            figures.update({name: max(ratio, figures.get(name, 0)) for name, ratio in found.items()})
            has_failed = has_failed or failed
    if a.write:
        with open(a.write, "w") as file:
            json.dump(figures, file, indent=1)
    lines = judge.verdict(thresholds, figures) + (["a request or a check failed"] if has_failed else [])
    print("\n".join(lines) or f"ok: {len(thresholds)} ratios are at or above their thresholds")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
