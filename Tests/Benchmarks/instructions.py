#!/usr/bin/env python3
"""Instructions of the server for each kind of request, counted by callgrind: figures that a busy machine does not change.

Usage: instructions.py SPARK_BINARY [OTHER_BINARY] [--requests N]
Each binary serves a demo town of its own under valgrind. Every kind is warmed up, then repeated; the result is the median of three rounds
of N requests, less what the server does meanwhile when nobody asks. With two binaries, the second is shown beside the first with the ratio.
Use binaries without debug information (objcopy --strip-debug): valgrind cannot read Swift's.
"""
import argparse, glob, http.client, json, os, re, shutil, subprocess, sys, tempfile, time


class Server:
    def __init__(self, spark, people):
        self.spark, self.work = os.path.abspath(spark), tempfile.mkdtemp(prefix="spark-instructions-")
        data = f"{self.work}/data"
        subprocess.run([self.spark, "seed", "--people", str(people), "--data", data], check=True, capture_output=True)
        known = subprocess.run([self.spark, "config", "default"], capture_output=True, text=True).stdout
        operator = ["--set", "operator.listen=127.0.0.1:0"] if "\noperator:" in known else []
        self.process = subprocess.Popen(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.work}/out", "--cache-sim=no", "--dump-instr=no", self.spark, "serve",
             "--data", data, "--listen", "127.0.0.1:0", *operator, "--set", "modules.disabled=metrics", "--set", "http.reads_per_minute=0",
             "--set", "http.writes_per_minute=0", "--set", "matching.likes_per_day=100000",
             "--set", "http.request_timeout_seconds=300", "--set", "http.idle_timeout_seconds=3600"],
            stdout=subprocess.PIPE, stderr=open(f"{self.work}/log", "w"), text=True)
        first = self.process.stdout.readline()
        if not first: sys.exit(open(f"{self.work}/log").read()[-3000:])
        self.port = int(json.loads(first)["url"].rsplit(":", 1)[1])
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)

    def token(self, name):
        return subprocess.run([self.spark, "token", "--data", f"{self.work}/data", name], check=True, capture_output=True, text=True).stdout.strip()

    def ask(self, method, path, token=None, body=None):
        headers = {"Authorization": "Bearer " + token} if token else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {data[:200]}")
        return json.loads(data) if data.startswith(b"{") else data

    def total(self):
        """Instructions since the last call."""
        subprocess.run(["callgrind_control", "-d", str(self.process.pid)], check=True, capture_output=True)
        newest = max(glob.glob(f"{self.work}/out.*"), key=lambda name: int(name.rsplit(".", 1)[1]))
        for _ in range(600):
            with open(newest) as file:
                found = re.findall(r"^(?:totals|summary): (\d+)", file.read(), re.M)
            if found:
                return int(found[-1])
            time.sleep(0.1)
        sys.exit("callgrind wrote no total")

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.work, ignore_errors=True)


def measure(spark, count, people):
    server = Server(spark, people)
    try:
        walkers = iter(range(1, people))
        deck = []
        while len(deck) < 20:
            ada = server.token(f"person{next(walkers)}@demo.invalid")
            deck = server.ask("GET", "/api/v1/matches/suggestions?limit=50", ada)["items"]
        card = f"/api/v1/users/{deck[0]['id']}"
        for number in range(1, people):
            ben = server.token(f"person{number}@demo.invalid")
            found = server.ask("GET", "/api/v1/conversations?limit=1", ben)["items"]
            if found:
                break
        conversation, counter = found[0]["id"], [0]
        targets = iter([item["id"] for item in deck])
        current = [ada]

        def swipe():
            target = next_target()
            server.ask("POST", "/api/v1/swipes", current[0], {"target_id": target, "action": "skip"})

        def next_target():
            nonlocal targets
            while True:
                found = next(targets, None)
                if found:
                    return found
                items = server.ask("GET", "/api/v1/matches/suggestions?limit=50", current[0])["items"]
                if not items:
                    current[0] = server.token(f"person{next(walkers)}@demo.invalid")
                targets = iter([item["id"] for item in items])

        def message():
            counter[0] += 1
            server.ask("POST", f"/api/v1/conversations/{conversation}/messages", ben, {"client_id": f"c{counter[0]}", "kind": "text", "text": "hello, how are you?"})

        kinds = {
            "healthz": lambda: server.ask("GET", "/healthz"),
            "me": lambda: server.ask("GET", "/api/v1/me", ada),
            "card": lambda: server.ask("GET", card, ada),
            "deck": lambda: server.ask("GET", "/api/v1/matches/suggestions?limit=20", ada),
            "message": message,
            "swipe": swipe,
        }
        # The town is loaded and indexed before anything is counted.
        time.sleep(15)
        self_rate = []
        for _ in range(3):
            server.total()
            begin = time.time()
            time.sleep(5)
            self_rate.append(server.total() / (time.time() - begin))
        idle = sorted(self_rate)[1]
        result = {}
        for name, request in kinds.items():
            rounds = []
            for number in range(4):
                server.total()
                begin = time.time()
                for _ in range(count):
                    request()
                if number:
                    rounds.append((server.total() - idle * (time.time() - begin)) / count)
            result[name] = sorted(rounds)[1]
        return result
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spark")
    parser.add_argument("other", nargs="?")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--people", type=int, default=10_000)
    a = parser.parse_args()
    results = [measure(binary, a.requests, a.people) for binary in (a.spark, a.other) if binary]
    for name in results[0]:
        line = f"{name:10s}" + "".join(f"{result[name]:14,.0f}" for result in results)
        print(line + (f"  {results[1][name] / results[0][name]:.3f}" if a.other else ""))


if __name__ == "__main__":
    main()
