#!/usr/bin/env python3
"""Compares measured ratios with the checked-in thresholds.

Usage: judge.py FIGURES [--thresholds FILE] [--processor NAME]
FIGURES is a JSON object: the ratio of each row by its name. Every ratio is Spark's speed divided by that of what it is measured beside, so
less is worse. Prints each row that is below its threshold, or that was not measured. Exit code 1 if there is one.

Ratios depend on the processor, so the file has a set of thresholds for each that was measured, after the first one, which is for all
others. --processor takes another one's set; its name is vendor, family and model, as processor() makes it of /proc/cpuinfo.
"""
import argparse, json, os, sys

THRESHOLDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "thresholds.json")


def processor():
    """Vendor, family and model of the first processor, such as GenuineIntel-6-207; empty where the system does not tell."""
    try:
        with open("/proc/cpuinfo") as file:
            lines = dict(line.split("\t", 1) for line in file.read().split("\n\n")[0].splitlines() if "\t" in line)
    except OSError:
        return ""
    return "-".join(lines.get(name, "").strip("\t: ") for name in ("vendor_id", "cpu family", "model"))


def load(path=THRESHOLDS, own=None):
    """The least ratio of each row, and the one that was measured when the threshold was set."""
    with open(path) as file:
        sets = json.load(file)["sets"]
    own = processor() if own is None else own
    fitting = next((found for found in sets[1:] if found["processor"] == own), sets[0])
    return {row["name"]: (row["least"], row["measured"]) for row in fitting["ratios"]}


def fallen(thresholds, figures):
    """The names of the rows that are below their thresholds or missing, in the order of the file."""
    # A figure that is no number is below everything.
    return [name for name, (least, _) in thresholds.items() if not figures.get(name, -1) >= least]


def verdict(thresholds, figures):
    """One line for each fallen row."""
    lines = []
    for name in fallen(thresholds, figures):
        least, measured = thresholds[name]
        found = f"is {figures[name]:.3f}" if name in figures else "was not measured"
        lines.append(f"too slow: {name} {found}; at least {least:.3f} is required ({measured:.3f} when the threshold was set)")
    return lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("figures")
    parser.add_argument("--thresholds", default=THRESHOLDS)
    parser.add_argument("--processor", default=processor())
    a = parser.parse_args()
    with open(a.figures) as file:
        lines = verdict(load(a.thresholds, a.processor), json.load(file))
    print("\n".join(lines) or "ok")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
