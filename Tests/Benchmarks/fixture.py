#!/usr/bin/env python3
"""Servers as fixtures of tests: how soon one answers, snapshots, restores, clones, and what a hundred of them leave behind.

Usage: fixture.py SPARK_BINARY [--bench SPARK_BENCH_BINARY] [--rounds N] [--people N ...] [--serial N] [--parallel N] [--judge]
By turns in each round: `spark --help`, `spark serve --ephemeral` to its ready line, and, where they are installed, PostgreSQL (initdb and
start, until it answers) with Redis. With --bench, the same server in a process that runs already. Then, for each number of people, a snapshot,
a restore after a few writes, and a clone, N times each. Then servers one after the other and side by side: distinct ports, and no process, file
or descriptor is left. At last servers whose parent is killed or stopped. --judge fails when a bar is missed; a leftover always fails.
"""
import argparse, json, os, shutil, signal, socket, statistics, subprocess, sys, tempfile, time, urllib.request
import spark_server
from spark_server import OtherWork

SERVE = ["serve", "--ephemeral", "--listen", "127.0.0.1:0", "--exit-with-parent"]


def shown(values):
    values = sorted(values)
    return f"median {statistics.median(values):.1f} ms, p95 {values[min(len(values) - 1, int(len(values) * 0.95))]:.1f} ms"


class Fixture:
    """A server. It ends with `stop`."""

    def __init__(self, spark, *arguments):
        self.begin = time.monotonic()
        self.process = subprocess.Popen([spark, *SERVE, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        self.milliseconds = (time.monotonic() - self.begin) * 1000
        if not line:
            raise RuntimeError("the server did not start: " + self.process.stderr.read().decode()[-2000:])
        ready = json.loads(line)
        self.url, self.admin, self.directory = ready["url"], ready["admin_token"], ready.get("data_directory", "")

    def call(self, path, body=None, token=None, method="POST"):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header("Authorization", f"Bearer {token or self.admin}")
        if data is not None:
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=120) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def timed(self, path, body=None):
        begin = time.monotonic()
        answer = self.call(path, body)
        return (time.monotonic() - begin) * 1000, answer

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        status = self.process.wait(30)
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()
        return status


class Classic:
    """PostgreSQL and Redis, as a test suite without Spark starts them: a new cluster, a database, an empty Redis."""

    def __init__(self, work):
        self.folder = tempfile.mkdtemp(dir=work)
        begin = time.monotonic()
        initdb, pg_ctl = (shutil.which(name) or f"/usr/lib/postgresql/15/bin/{name}" for name in ("initdb", "pg_ctl"))
        # PostgreSQL refuses to run as root.
        prefix = []
        if os.getuid() == 0:
            prefix = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
            os.chmod(work, 0o755)
            shutil.chown(self.folder, "nobody", "nogroup")
        data = f"{self.folder}/pg"
        self.pg = [*prefix, pg_ctl, "-D", data, "-s", "-w"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": self.folder}
        subprocess.run([*prefix, initdb, "-D", data, "-U", "test", "-A", "trust", "--no-sync"], check=True, **quiet)
        subprocess.run([*self.pg, "-o", f"-k {self.folder} -c listen_addresses= -c fsync=off", "-l", f"{data}/log", "start"], check=True, **quiet)
        self.postgres = (time.monotonic() - begin) * 1000
        begin, path = time.monotonic(), f"{self.folder}/redis"
        self.redis = subprocess.Popen([*prefix, "redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no"], **quiet)
        while True:
            try:
                with socket.socket(socket.AF_UNIX) as asking:
                    asking.connect(path)
                    asking.sendall(b"PING\r\n")
                    if asking.recv(64).startswith(b"+PONG"):
                        break
            except OSError:
                time.sleep(0.001)
        self.redis_start = (time.monotonic() - begin) * 1000

    def stop(self):
        subprocess.run([*self.pg, "-m", "immediate", "stop"], cwd=self.folder, check=True)
        self.redis.terminate()
        self.redis.wait()


def starts(a, work, faults):
    others = OtherWork()
    absent = spark_server.missing("redis-server") or (None if shutil.which("initdb") or os.path.exists("/usr/lib/postgresql/15/bin/initdb")
                                                      else "postgresql")
    helps, servers, clusters, redis = [], [], [], []
    for number in range(a.rounds):
        begin = time.monotonic()
        subprocess.run([a.spark, "--help"], stdout=subprocess.DEVNULL, check=True)
        helps.append((time.monotonic() - begin) * 1000)
        server = Fixture(a.spark)
        servers.append(server.milliseconds)
        server.stop()
        if not absent and number < 5:
            classic = Classic(work)
            clusters.append(classic.postgres)
            redis.append(classic.redis_start)
            classic.stop()
    bar = statistics.median(helps) + 35
    print(f"spark --help: {shown(helps)}\na server as a process: {shown(servers)} (bar {bar:.1f})")
    if absent:
        print(f"PostgreSQL and Redis: skipped: {absent} is not installed")
    else:
        print(f"PostgreSQL, a new cluster: {shown(clusters)}; Redis: {shown(redis)}")
    if a.judge and statistics.median(servers) > bar:
        faults.append(f"a server is ready after {statistics.median(servers):.1f} ms, the bar is {bar:.1f}")
    if a.bench:
        found = json.loads(subprocess.run([a.bench, "start", "--rounds", str(a.rounds), "--json"], check=True, capture_output=True, text=True).stdout)
        print(f"a server in the process: {shown(found['starts'])} (bar {bar / 2:.1f}), the first {found['starts'][0]:.1f}; ended in {shown(found['stops'])}")
        if a.judge and statistics.median(found["starts"]) > bar / 2:
            faults.append(f"a server in the process is ready after {statistics.median(found['starts']):.1f} ms, the bar is {bar / 2:.1f}")
    print(others, flush=True)


def states(a, work, faults, people):
    scenario = f"{work}/town.yaml"
    with open(scenario, "w") as file:
        file.write("summary: A town\npeople:\n  ada: {gender: woman, interested_in: [man]}\n  ben: {gender: man, interested_in: [woman]}\n"
                   f"town: {{people: {people}, swipes: false}}\n")
    others = OtherWork()
    server = Fixture(a.spark, "--scenario", scenario)
    ada, ben = (server.call(f"/__test__/users/{name}", method="GET") for name in ("ada", "ben"))
    snapshots, restores, clones = [], [], []
    for _ in range(a.rounds):
        took, answer = server.timed("/__test__/snapshot")
        snapshots.append(took)
        server.call("/api/v1/swipes", {"target_id": ben["id"], "action": "like"}, ada["access_token"])
        server.call("/api/v1/me/preferences", {"min_age": 20, "max_age": 90, "max_distance_km": 50}, ada["access_token"], "PUT")
        server.call("/__test__/users", {"location": {"latitude": 48.85, "longitude": 2.35}})
        restores.append(server.timed("/__test__/restore", {"snapshot": answer["snapshot"]})[0])
    for _ in range(min(a.rounds, 10)):
        took, answer = server.timed("/__test__/clone")
        clones.append(took)
        with urllib.request.urlopen(urllib.request.Request(answer["url"] + "/api/v1/me", headers={"Authorization": f"Bearer {ada['access_token']}"})) as me:
            if json.loads(me.read())["id"] != ada["id"]:
                faults.append("a clone knows somebody else by a token")
        os.kill(answer["pid"], signal.SIGTERM)
    print(f"{people:,} people: ready in {server.milliseconds:.0f} ms; snapshot {shown(snapshots)}; restore {shown(restores)}; clone {shown(clones)}")
    if a.judge and people <= 1_000 and statistics.median(restores) > 5:
        faults.append(f"a restore of {people} people takes {statistics.median(restores):.1f} ms, the bar is 5")
    server.stop()
    print(others, flush=True)


def of_spark(work):
    """What servers leave in the folder for temporary files, which is theirs alone."""
    return sorted(name for name in os.listdir(work) if not name.endswith(".yaml"))


def children():
    return {pid for pid in os.listdir("/proc") if pid.isdigit() and parent(pid) == os.getpid()}


def parent(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


def crowds(a, work, faults):
    before = (of_spark(work), children(), len(os.listdir("/proc/self/fd")))
    begin = time.monotonic()
    for _ in range(a.serial):
        server = Fixture(a.spark)
        if server.stop():
            faults.append("a server ended with an error")
    serial = time.monotonic() - begin
    begin = time.monotonic()
    together = [Fixture(a.spark, "--scenario", "matched") for _ in range(a.parallel)]
    ready = time.monotonic() - begin
    if len({server.url for server in together}) != a.parallel:
        faults.append("two servers have one address")
    for server in together:
        server.process.terminate()
    for server in together:
        server.stop()
    after = (of_spark(work), children(), len(os.listdir("/proc/self/fd")))
    if before != after:
        faults.append(f"left behind: {before} became {after}")
    print(f"{a.serial} servers one after the other: {serial:.1f} s, each {serial / max(1, a.serial) * 1000:.0f} ms with its end; {a.parallel} with a match "
          f"side by side: all ready in {ready:.2f} s; left behind: {'nothing' if before == after else 'see below'}")


PARENT = """
import subprocess, sys, time
server = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
server.stdout.readline()
print(server.pid, flush=True)
time.sleep(600)
"""


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def gone_after(pid, longest=10):
    begin = time.monotonic()
    while is_alive(pid):
        if time.monotonic() - begin > longest:
            return None
        time.sleep(0.005)
    return time.monotonic() - begin


def parents(a, faults):
    def family():
        process = subprocess.Popen([sys.executable, "-c", PARENT, a.spark, *SERVE], stdout=subprocess.PIPE, text=True)
        return process, int(process.stdout.readline())

    def end(process, how):
        process.send_signal(how)
        process.wait()
        process.stdout.close()

    process, server = family()
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(2)
    if not is_alive(server):
        faults.append("the server ended when its parent was stopped")
    os.kill(process.pid, signal.SIGCONT)
    end(process, signal.SIGKILL)
    killed = gone_after(server)
    process, server = family()
    os.kill(server, signal.SIGSTOP)
    end(process, signal.SIGKILL)
    time.sleep(0.5)
    if is_alive(server):
        os.kill(server, signal.SIGCONT)
    stopped = gone_after(server)
    for text, seconds in (("its parent was killed", killed), ("it went on after its parent was killed", stopped)):
        if seconds is None or seconds > 1 and a.judge:
            faults.append(f"the server is still there after {text}" if seconds is None else f"the server took {seconds:.1f} s after {text}")
    shown_as = [f"{seconds * 1000:.0f} ms" if seconds is not None else "never" for seconds in (killed, stopped)]
    print(f"gone after the parent was killed: {shown_as[0]}; a stopped server, after it went on: {shown_as[1]}; its stdin was at its end all the time")


def main():
    sys.stdout.reconfigure(line_buffering=True)
    parser = argparse.ArgumentParser()
    parser.add_argument("spark")
    parser.add_argument("--bench")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--people", type=int, nargs="*", default=[1_000, 100_000])
    parser.add_argument("--serial", type=int, default=100)
    parser.add_argument("--parallel", type=int, default=20)
    parser.add_argument("--judge", action="store_true")
    a = parser.parse_args()
    a.spark, a.bench = os.path.abspath(a.spark), a.bench and os.path.abspath(a.bench)
    faults, work = [], tempfile.mkdtemp(prefix="spark-fixtures-")
    os.environ["TMPDIR"] = work
    try:
        starts(a, work, faults)
        for people in a.people:
            states(a, work, faults, people)
        shutil.rmtree(work)
        os.mkdir(work)
        crowds(a, work, faults)
        parents(a, faults)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print("FAIL: " + "\n  ".join(faults[:20]) if faults else "ok")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
