#!/usr/bin/env python3
"""Spark's routes beside nginx, which sends bodies of the same size with the same header lines, by wrk, in one run.

Usage: edge.py SPARK_BINARY [--compare OTHER_BINARY] [--people N] [--seconds S] [--rounds R] [--viewers V] [--connections C] [--slow N]
              [--rows NAME ...]
Both get the same requests, by turns, on kept connections; the limiter is on. Then viewers ask from many connections, while slow clients
send their heads byte by byte, or read their answers a few bytes at a time. Prints requests/s (medians of the rounds), the processor time of
a request, and ratios; with --compare the same of an earlier binary. Needs wrk and nginx. Exit code 1 when a request failed.
"""
import argparse, asyncio, http.client, json, multiprocessing, os, re, shutil, socket, statistics, subprocess, sys, tempfile, time
import spark_server
from spark_server import OtherWork, Server, children, processor_seconds

DECK = "/api/v1/matches/suggestions?limit=20"
# What Spark sends with an answer beside its length, type and date, which nginx sends itself.
FIELDS = ["X-Content-Type-Options: nosniff", "X-Frame-Options: DENY", "Referrer-Policy: no-referrer",
          "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'", "Cross-Origin-Resource-Policy: same-origin",
          "X-Request-Id: 0123456789abcdef", "RateLimit: default;r=1199;t=1",
          "Cache-Control: private, no-store"]
MILLISECONDS = {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}


class Sample:
    """What wrk and /proc say of one run against one server."""

    def __init__(self, url, pids, seconds, connections, script):
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "--latency", "-s", script, url]
        before = processor_seconds(*pids)
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        requests = int(re.search(r"(\d+) requests in", out).group(1))
        self.cpu = (processor_seconds(*pids) - before) / max(1, requests) * 1e6
        self.rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
        times = {key: float(number) * MILLISECONDS[unit] for key, number, unit in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s|m)", out)}
        self.p50, self.p99 = times["50"], times["99"]
        bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
        errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", out)
        self.failed = (int(bad.group(1)) if bad else 0) + (sum(map(int, errors.groups())) if errors else 0)


def median(samples, key):
    return statistics.median(getattr(sample, key) for sample in samples)


class Peer:
    """nginx with a file of each body."""

    def __init__(self, work, bodies):
        os.mkdir(f"{work}/www")
        for name, body in bodies.items():
            with open(f"{work}/www/{name}.json", "wb") as file:
                file.write(body)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        fields = "".join('add_header {} "{}";'.format(*field.split(": ", 1)) for field in FIELDS)
        paths = "".join(f"{key}_temp_path {work};" for key in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(f"{work}/nginx.conf", "w") as file:
            file.write(f"""worker_processes 2; pid {work}/nginx.pid; daemon off; error_log {work}/error.log;
events {{ worker_connections 2048; }}
http {{ access_log off; open_file_cache max=100; keepalive_requests 100000000; {paths} types {{ application/json json; }}
server {{ listen 127.0.0.1:{port}; root {work}/www; etag off; {fields} location = /location.json {{ return 200 "{{}}"; }} }} }}
""")
        # Its workers must be able to read the folder, which belongs to this user.
        user = ["-g", "user root;"] if os.getuid() == 0 else []
        self.process = subprocess.Popen(["nginx", "-c", f"{work}/nginx.conf", *user], stderr=subprocess.DEVNULL)
        self.url, self.target = f"http://127.0.0.1:{port}", ("127.0.0.1", port)
        for _ in range(100):
            try:
                http.client.HTTPConnection(*self.target, timeout=5).request("GET", "/")
                break
            except OSError:
                time.sleep(0.05)
        self.pids = children(self.process.pid)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def script(work, name, method, tokens, body=None):
    """A program for wrk: one request of one person, or requests by some people in turn, each made once in advance."""
    path, quoted = f"{work}/{name}.lua", ",".join(f'"{token}"' for token in tokens)
    with open(path, "w") as file:
        file.write(f'wrk.method = "{method}"\nwrk.headers["Authorization"] = "Bearer {tokens[0]}"\n')
        if body:
            file.write(f"wrk.headers['Content-Type'] = 'application/json'\nwrk.body = '{body}'\n")
        if len(tokens) > 1:
            file.write(f"""local tokens, requests, turn = {{{quoted}}}, {{}}, 0
init = function() for i, token in ipairs(tokens) do requests[i] = wrk.format(nil, nil, {{Authorization = "Bearer " .. token}}) end end
request = function() turn = turn % #requests + 1; return requests[turn] end
""")
    return path


class Town:
    """A seeded directory, and the servers that are measured on copies of it."""

    def __init__(self, binaries, work, people, viewers):
        # The earliest version makes the town: later ones migrate it.
        seeded = spark_server.seed(list(binaries.values())[-1], people, f"{work}/data")
        print(f"seed: {seeded['people_per_second']} people/s")
        self.servers, self.tokens = {}, {}
        names = [f"person{i}@demo.invalid" for i in range(1, people + 1, max(1, people // viewers))][:viewers]
        for name, binary in binaries.items():
            shutil.copytree(f"{work}/data", f"{work}/{name}")
            self.servers[name] = Server(binary, f"{work}/{name}", spark_server.OPEN)
            self.tokens[name] = spark_server.tokens(binary, f"{work}/{name}", names)

    def stop(self):
        for server in self.servers.values():
            server.stop()


def latencies(server, path, tokens):
    """Milliseconds of one request by each person, one after the other on one connection, sorted."""
    connection = http.client.HTTPConnection(*server.target)
    found = []
    for token in tokens:
        begin = time.perf_counter()
        connection.request("GET", path, headers={"Authorization": "Bearer " + token})
        connection.getresponse().read()
        found.append((time.perf_counter() - begin) * 1000)
    return sorted(found)


def slow_clients(target, path, tokens, count, found, ready, done):
    """Half of the clients send their heads byte by byte; the others ask often and read a few bytes at a time."""

    async def hold(number, tally):
        token = tokens[number % len(tokens)]
        head = f"GET {path} HTTP/1.1\r\nHost: spark\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        while not done.is_set():
            k = socket.socket()
            k.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            k.setblocking(False)
            loop = asyncio.get_running_loop()
            try:
                await loop.sock_connect(k, target)
                while not done.is_set():
                    if number % 2:
                        for byte in head:
                            await loop.sock_sendall(k, bytes([byte]))
                            await asyncio.sleep(0.02)
                    else:
                        await loop.sock_sendall(k, head * 16)
                    left = 1 if number % 2 else 16
                    seen = b""
                    while left and not done.is_set():
                        data = await asyncio.wait_for(loop.sock_recv(k, 65536 if number % 2 else 256), 30)
                        if not data:
                            raise ConnectionResetError
                        answers = (seen + data).count(b"HTTP/1.1 200")
                        seen = (seen + data)[-11:] if answers else seen + data
                        left -= answers
                        tally["answers"] += answers
                        await asyncio.sleep(0 if number % 2 else 0.02)
                    # The rest of the last body.
                    while number % 2:
                        try:
                            await asyncio.wait_for(loop.sock_recv(k, 65536), 0.02)
                        except asyncio.TimeoutError:
                            break
            except (OSError, asyncio.TimeoutError):
                tally["closed"] += 1
                await asyncio.sleep(0.05)
            finally:
                k.close()

    async def everybody():
        tally = {"answers": 0, "closed": 0}
        tasks = [asyncio.create_task(hold(number, tally)) for number in range(count)]
        await asyncio.sleep(0.5)
        ready.set()
        while not done.is_set():
            await asyncio.sleep(0.05)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        found.put(tally)

    asyncio.run(everybody())


def beside_slow(target, path, tokens, count, body):
    """What the body returns while slow clients hold connections, and what became of them."""
    found, ready, done = multiprocessing.Queue(), multiprocessing.Event(), multiprocessing.Event()
    process = multiprocessing.Process(target=slow_clients, args=(target, path, tokens, count, found, ready, done))
    process.start()
    try:
        ready.wait(20)
        value = body()
    finally:
        done.set()
    tally = found.get(timeout=60)
    process.join()
    return value, tally


def measure(spark, other=None, people=20_000, seconds=2, rounds=5, viewers=1000, connections=512, slow=50, only=None):
    """Prints the table, and returns the ratios by name and the number of failed requests."""
    binaries = {"spark": spark, **({"before": other} if other else {})}
    work, town, nginx, others = tempfile.mkdtemp(prefix="spark-edge-"), None, None, OtherWork()
    ratios, failed = {}, 0
    try:
        town = Town(binaries, work, people, viewers)
        server, tokens = town.servers["spark"], town.tokens["spark"]
        sizes = sorted((len(server.get(DECK, token)), number) for number, token in enumerate(tokens))
        middle = sizes[len(sizes) * 3 // 4][1]
        if only is None:
            one = latencies(server, DECK, tokens)
            print(f"deck of 20 over HTTP, one client, {len(one)} viewers: p50 {one[len(one) // 2]:.2f} ms  "
                  f"p95 {one[len(one) * 95 // 100]:.2f} ms  p99 {one[len(one) * 99 // 100]:.2f} ms")
        me = json.loads(server.get("/api/v1/me", tokens[middle]))
        first = json.loads(server.get(DECK, tokens[middle]))["items"][0]
        place = json.dumps({key: me["location"][key] for key in ("latitude", "longitude")})
        paths = {"healthz": "/healthz", "me": "/api/v1/me", "card": f"/api/v1/users/{first['id']}?view=card",
                 "location": "/api/v1/me/location", "deck": DECK}
        bodies = {name: b"{}" if name == "location" else server.get(path, tokens[middle]) for name, path in paths.items()}
        nginx = Peer(work, bodies)
        rows = [(name, name, path, [middle], 64, 0) for name, path in paths.items()]
        rows += [(f"{name}, crowd", name, paths[name], range(len(tokens)), connections, slow) for name in ("me", "deck")]
        print(f"{'':14}{'bytes':>7}{'':10}{'a second':>10}{'CPU us':>9}{'p50 ms':>9}{'p99 ms':>9}{'/nginx':>8}{'p99/nginx':>11}")
        for row, name, path, who, count, slowly in rows:
            if only is not None and not {f"{row}/nginx", f"{row}, CPU/nginx"} & set(only):
                continue
            samples, tallies = {}, {}
            for _ in range(rounds):
                for label in ["nginx", *town.servers]:
                    side = nginx if label == "nginx" else town.servers[label]
                    people_of = town.tokens["spark" if label == "nginx" else label]
                    lua = script(work, f"{label}-{name}-{count}", "PUT" if name == "location" else "GET", [people_of[i] for i in who],
                                 place if name == "location" else None)
                    asked = f"/{name}.json" if label == "nginx" else path
                    pids = nginx.pids if label == "nginx" else [side.pid]

                    def load():
                        return Sample(side.url + asked, pids, seconds, count, lua)

                    if slowly:
                        sample, tally = beside_slow(side.target, asked, people_of, slowly, load)
                        for key, number in tally.items():
                            tallies.setdefault(label, {}).setdefault(key, []).append(number)
                    else:
                        sample = load()
                    samples.setdefault(label, []).append(sample)
            for label, own in samples.items():
                shares = [mine.rate / theirs.rate for mine, theirs in zip(own, samples["nginx"])]
                tails = [mine.p99 / theirs.p99 for mine, theirs in zip(own, samples["nginx"])]
                bad = sum(sample.failed for sample in own)
                failed += bad
                line = f"{row if label == 'nginx' else '':14}{len(bodies[name]) if label == 'nginx' else '':>7}  {label:8}{median(own, 'rate'):10.0f}" \
                    f"{median(own, 'cpu'):9.1f}{median(own, 'p50'):9.2f}{median(own, 'p99'):9.2f}"
                if label != "nginx":
                    line += f"{statistics.median(shares):8.2f}{statistics.median(tails):11.2f}"
                if label in tallies:
                    line += f"  slow clients: {sum(tallies[label]['answers'])} answers, {sum(tallies[label]['closed'])} closed"
                print(line + (f"  FAILED {bad}" if bad else ""), flush=True)
                if label == "spark":
                    ratios[f"{row}/nginx"] = statistics.median(shares)
                    ratios[f"{row}, CPU/nginx"] = statistics.median(theirs.cpu / mine.cpu for mine, theirs in zip(own, samples["nginx"]))
    finally:
        if nginx:
            nginx.stop()
        if town:
            town.stop()
        shutil.rmtree(work, ignore_errors=True)
    print(others)
    return ratios, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spark")
    parser.add_argument("--compare", help="an earlier binary, measured in the same rounds")
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--viewers", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=512)
    parser.add_argument("--slow", type=int, default=50)
    parser.add_argument("--rows", nargs="+", help="only these, by name, for example: me \"deck, crowd\"")
    a = parser.parse_args()
    absent = spark_server.missing("wrk", "nginx")
    if absent:
        print(f"skipped: {absent} is not installed")
        return 0
    other = os.path.abspath(a.compare) if a.compare else None
    _, failed = measure(os.path.abspath(a.spark), other, a.people, a.seconds, a.rounds, a.viewers, a.connections, a.slow,
                        a.rows and [f"{row}/nginx" for row in a.rows])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
