#!/usr/bin/env python3
"""Compares measured ratios with the checked-in thresholds.

Usage: judge.py FIGURES [--thresholds FILE]
FIGURES is a JSON object: the ratio of each row by its name. Every ratio is Spark's speed divided by that of what it is measured beside, so
less is worse. Prints each row that is below its threshold, or that was not measured. Exit code 1 if there is one.
"""
import argparse, json, os, sys

THRESHOLDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "thresholds.json")


def load(path=THRESHOLDS):
    """The least ratio of each row, and the one that was measured when the threshold was set."""
    with open(path) as file:
        return {row["name"]: (row["least"], row["measured"]) for row in json.load(file)["ratios"]}


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
    a = parser.parse_args()
    with open(a.figures) as file:
        lines = verdict(load(a.thresholds), json.load(file))
    print("\n".join(lines) or "ok")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
