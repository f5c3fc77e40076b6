#!/usr/bin/env python3
"""Spark's WebSocket layer before the Autobahn test suite's fuzzing client.

Usage: autobahn.py SPARK_BINARY [--cases 1.* 2.*] [--keep DIRECTORY]
Starts a server of its own with --ws-echo and demands OK, NON-STRICT or INFORMATIONAL in every case; those of compression (12, 13)
may be UNIMPLEMENTED. Exit code 1 otherwise. Needs a Python 2.7, which the suite is written in, found as python2.7 or by pyenv; the
suite itself is installed in a temporary folder by pip.
"""
import argparse, collections, json, os, shutil, subprocess, sys, tempfile

SUITE = "autobahntestsuite==25.10.1"
PYTHON = "2.7.18"
PASSED = {"OK", "NON-STRICT", "INFORMATIONAL"}
RUN = "import site, sys; site.addsitedir(sys.argv.pop(1)); from autobahntestsuite import wstest; wstest.run()"


def python27():
    """A working Python 2.7; pyenv builds one if it is installed and has none."""
    for candidate in filter(None, [os.environ.get("PYTHON27"), shutil.which("python2.7")]):
        if subprocess.run([candidate, "-c", ""], capture_output=True).returncode == 0:
            return candidate
    pyenv = shutil.which("pyenv") or os.path.expanduser("~/.pyenv/bin/pyenv")
    if not os.path.exists(pyenv):
        sys.exit("The suite needs Python 2.7: put python2.7 on the PATH, name one in PYTHON27, or install pyenv.")
    subprocess.run([pyenv, "install", "--skip-existing", PYTHON], check=True)
    prefix = subprocess.run([pyenv, "prefix", PYTHON], check=True, capture_output=True, text=True).stdout.strip()
    return f"{prefix}/bin/python2.7"


def is_well(case, result):
    allowed = PASSED | ({"UNIMPLEMENTED"} if case.split(".")[0] in ("12", "13") else set())
    return result["behavior"] in allowed and result["behaviorClose"] in allowed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spark")
    parser.add_argument("--cases", nargs="*", default=["*"])
    parser.add_argument("--keep", help="where the report in HTML goes")
    a = parser.parse_args()
    python = python27()
    work = tempfile.mkdtemp(prefix="spark-autobahn-")
    server = None
    try:
        subprocess.run([python, "-m", "pip", "install", "-q", "--target", f"{work}/suite", SUITE], check=True,
                       stderr=subprocess.DEVNULL)
        server = subprocess.Popen(
            [os.path.abspath(a.spark), "serve", "--ephemeral", "--listen", "127.0.0.1:0", "--ws-echo"], cwd=work,
            stdout=subprocess.PIPE, text=True)
        url = json.loads(server.stdout.readline())["url"].replace("http", "ws", 1)
        report = os.path.abspath(a.keep) if a.keep else f"{work}/report"
        spec = {"outdir": report, "servers": [{"agent": "spark", "url": f"{url}/api/v1/ws/echo"}], "cases": a.cases,
                "exclude-cases": [], "exclude-agent-cases": {}}
        with open(f"{work}/spec.json", "w") as file:
            json.dump(spec, file)
        subprocess.run([python, "-c", RUN, f"{work}/suite", "-m", "fuzzingclient", "-s", f"{work}/spec.json"], check=True,
                       cwd=work, stdout=subprocess.DEVNULL)
        with open(f"{report}/index.json") as file:
            results = json.load(file)["spark"]
        groups = collections.defaultdict(collections.Counter)
        for case, result in results.items():
            groups[case.split(".")[0]][result["behavior"]] += 1
        for group in sorted(groups, key=int):
            print(f"{group:>3}: " + ", ".join(f"{count} {name}" for name, count in sorted(groups[group].items())))
        failed = sorted(case for case, result in results.items() if not is_well(case, result))
        for case in failed:
            print(f"FAILED {case}: {results[case]['behavior']}, close {results[case]['behaviorClose']}")
        print(f"{len(results) - len(failed)} passed, {len(failed)} failed")
        sys.exit(bool(failed) or not results)
    finally:
        if server:
            server.terminate()
            server.wait()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
