#!/usr/bin/env python3
"""Spark's routes beside nginx serving a static file of the same size, in one run, by wrk.

Usage: edge.py SPARK_BINARY [--people N] [--seconds S] [--rounds R]
Prints requests/s of both (medians of interleaved rounds) and their ratio. Needs wrk and nginx. Ports are the system's choice;
every process it starts it ends.
"""
import argparse, http.client, json, os, re, shutil, socket, statistics, subprocess, tempfile, time, urllib.request


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def get(url, headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as r:
        return r.read()


def wrk(url, seconds, script=None, connections=64):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", url]
    if script:
        command[1:1] = ["-s", script]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    latency = {k: v for k, v in re.findall(r"(50|99)%\s+([\d.]+\w+)", out)}
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), latency, int(bad.group(1)) if bad else 0


def latencies(url, path, headers):
    """Milliseconds of one request for each header set, one after the other on one connection, sorted."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    found = []
    for h in headers:
        begin = time.perf_counter()
        connection.request("GET", path, headers=h)
        connection.getresponse().read()
        found.append((time.perf_counter() - begin) * 1000)
    return sorted(found)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spark")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    a = parser.parse_args()
    spark = os.path.abspath(a.spark)
    work = tempfile.mkdtemp(prefix="spark-bench-")
    processes = []
    try:
        data = f"{work}/data"
        seeded = json.loads(subprocess.run(
            [spark, "seed", "--people", str(a.people), "--data", data, "--json"],
            check=True, capture_output=True, text=True).stdout)
        print(f"seed: {seeded['people_per_second']} people/s")
        limits = ["--set", "http.reads_per_minute=0", "--set", "http.writes_per_minute=0"]
        server = subprocess.Popen([spark, "serve", "--data", data, "--listen", "127.0.0.1:0", *limits],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        processes.append(server)
        url = json.loads(server.stdout.readline())["url"]
        step = max(1, a.people // 1000)
        emails = [f"person{i}@demo.invalid" for i in range(1, a.people, step)]
        tokens = subprocess.run([spark, "token", "--data", data, *emails], check=True, capture_output=True,
                                text=True).stdout.split()
        headers = [{"Authorization": f"Bearer {t}"} for t in tokens]
        deck_path = "/api/v1/matches/suggestions?limit=20"
        decks = sorted((len(get(url + deck_path, h)), i) for i, h in enumerate(headers))
        one = latencies(url, deck_path, headers)
        print(f"deck of 20 over HTTP, one client, {len(one)} viewers: p50 {one[len(one) // 2]:.2f} ms  "
              f"p95 {one[len(one) * 95 // 100]:.2f} ms  p99 {one[len(one) * 99 // 100]:.2f} ms")
        middle = headers[decks[len(decks) * 3 // 4][1]]["Authorization"]
        me = json.loads(get(url + "/api/v1/me", {"Authorization": middle}))
        card_path = f"/api/v1/users/{me['id']}?view=card"
        location = {"latitude": me["location"]["latitude"], "longitude": me["location"]["longitude"]}

        def script(name, body):
            path = f"{work}/{name}.lua"
            with open(path, "w") as f:
                f.write(body)
            return path

        auth = f'wrk.headers["Authorization"] = "{middle}"\n'
        put = auth + 'wrk.method = "PUT"\nwrk.headers["Content-Type"] = "application/json"\n' \
            + f"wrk.body = '{json.dumps(location)}'\n"
        everybody = "local t = {" + ",".join(f'"{h["Authorization"]}"' for h in headers) + "}\nlocal i = 0\n" \
            + "request = function() i = i % #t + 1; return wrk.format('GET', nil, {Authorization = t[i]}) end\n"
        routes = [
            ("healthz", "/healthz", None, get(url + "/healthz", {})),
            ("card", card_path, script("card", auth), get(url + card_path, {"Authorization": middle})),
            ("location, same cell", "/api/v1/me/location", script("location", put), json.dumps(location).encode()),
            ("deck of 20, one viewer", deck_path, script("deck", auth), get(url + deck_path, {"Authorization": middle})),
            (f"deck of 20, {len(headers)} viewers", deck_path, script("decks", everybody), get(url + deck_path, {"Authorization": middle})),
        ]
        port = free_port()
        os.mkdir(f"{work}/www")
        for number, route in enumerate(routes):
            with open(f"{work}/www/{number}.json", "wb") as f:
                f.write(route[3])
        with open(f"{work}/nginx.conf", "w") as f:
            f.write(f"""worker_processes 2; pid {work}/nginx.pid; daemon off; error_log {work}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {work}; proxy_temp_path {work};
fastcgi_temp_path {work}; uwsgi_temp_path {work}; scgi_temp_path {work}; types {{ application/json json; }}
server {{ listen 127.0.0.1:{port}; root {work}/www; }} }}""")
        processes.append(subprocess.Popen(["nginx", "-c", f"{work}/nginx.conf"], stderr=subprocess.DEVNULL))
        for number, (name, path, lua, body) in enumerate(routes):
            ours, theirs, ratios, latency, failed = [], [], [], {}, 0
            for _ in range(a.rounds):
                rate, latency, bad = wrk(url + path, a.seconds, lua)
                peer, _, _ = wrk(f"http://127.0.0.1:{port}/{number}.json", a.seconds)
                ours.append(rate), theirs.append(peer), ratios.append(rate / peer)
                failed += bad
            print(f"{name:26} {len(body):6} B  spark {statistics.median(ours):9.0f}/s  nginx {statistics.median(theirs):9.0f}/s"
                  f"  ratio {statistics.median(ratios):.3f}  p50 {latency.get('50')} p99 {latency.get('99')}  failed {failed}")
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
        shutil.rmtree(work, ignore_errors=True)


main()
