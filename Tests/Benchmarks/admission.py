#!/usr/bin/env python3
"""Honest users beside a flood: many connections from several addresses, half-sent bodies, and requests as fast as they go.

Usage: admission.py SPARK_BINARY [--connections N] [--processes P] [--addresses A] [--users U] [--seconds S] [--descriptors D]
Starts a server of its own, lets honest users work alone, then beside the flood (its processes at nice 19), and prints their latencies,
what was refused or shed, and what the server used. Exit code 1 when the server died, when an honest request failed, when the honest
p95 beside the flood is above the greater of twice that before and --slack milliseconds, or when memory passes its bound.
"""
import argparse, asyncio, json, multiprocessing, os, random, re, resource, shutil, socket, subprocess, sys, tempfile, time, urllib.request

HONEST_NETWORK = 200  # 127.0.HONEST_NETWORK.x
PASSWORD = "correct horse battery"


def call(url, method, path, body=None, token=None, timeout=60):
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if token:
        headers["Authorization"] = "Bearer " + token
    data = json.dumps(body).encode() if body is not None else None
    with urllib.request.urlopen(urllib.request.Request(url + path, data, headers, method=method), timeout=timeout) as answer:
        return json.loads(answer.read() or b"null")


async def answer(reader):
    """The status of the next answer; reads it whole."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    if length:
        await reader.readexactly(int(length.group(1)))
    return int(head.split(b" ", 2)[1])


async def user(number, host, port, token, until, times, opened, failures):
    """A user who makes a request about once a second, on a kept connection that is reopened from time to time."""
    path = ("/api/v1/me", "/api/v1/matches/suggestions?limit=5", "/api/v1/conversations")
    source = (f"127.0.{HONEST_NETWORK}.{number % 250 + 1}", 0)
    streams, served = None, 0
    await asyncio.sleep(random.random())
    while time.time() < until:
        start = time.perf_counter()
        try:
            for attempt in (1, 2):
                if streams is None:
                    streams = await asyncio.wait_for(asyncio.open_connection(host, port, local_addr=source), 10)
                    fresh = True
                else:
                    fresh = False
                try:
                    streams[1].write(f"GET {path[served % 3]} HTTP/1.1\r\nHost: spark\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
                    status = await asyncio.wait_for(answer(streams[0]), 10)
                    break
                except (OSError, asyncio.IncompleteReadError):
                    # An idle connection may have been closed meanwhile: clients retry once on a new one.
                    streams[1].close()
                    streams = None
                    if fresh:
                        raise
            times.append((time.perf_counter() - start) * 1000)
            if fresh:
                opened.append(times[-1])
            if status != 200:
                failures.append(str(status))
        except Exception as error:
            failures.append(type(error).__name__)
            if streams:
                streams[1].close()
            streams = None
        served += 1
        if served % 10 == 0 and streams:
            streams[1].close()
            streams = None
        await asyncio.sleep(random.uniform(0.5, 1.5))
    if streams:
        streams[1].close()


async def honest(url, tokens, seconds):
    host, port = url.removeprefix("http://").split(":")
    times, opened, failures = [], [], []
    until = time.time() + seconds
    await asyncio.gather(*(user(i, host, int(port), token, until, times, opened, failures) for i, token in enumerate(tokens)))
    return sorted(times), sorted(opened), failures


def flood(index, url, count, addresses, until, found):
    """Holds connections: a third idle, a third with half a body, a third that send requests all the time. Reopens closed ones."""
    os.nice(19)
    host, port = url.removeprefix("http://").split(":")
    target = (host, int(port))
    half = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n" + b" " * 20000
    probe = b"GET /api/v1/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer wrong\r\n\r\n"
    held, tries, refused, number = {}, 0, 0, 0
    import select
    poll = select.epoll()
    while time.time() < until:
        for _ in range(200):
            if len(held) >= count:
                break
            number += 1
            k = socket.socket()
            k.setblocking(False)
            try:
                k.bind((f"127.0.{index + 1}.{number % addresses + 1}", 0))
                k.connect_ex(target)
            except OSError:
                k.close()
                break
            tries += 1
            held[k.fileno()] = [k, number % 3, False]
            poll.register(k.fileno(), select.EPOLLOUT | select.EPOLLIN | select.EPOLLHUP)
        for descriptor, event in poll.poll(0.05, 500):
            entry = held.get(descriptor)
            if not entry:
                continue
            k, kind, begun = entry
            try:
                if event & select.EPOLLIN:
                    data = k.recv(65536)
                    if not data:
                        raise OSError
                    if data[9:12] in (b"429", b"503"):
                        refused += 1
                    if kind == 2:
                        k.send(probe)
                if event & (select.EPOLLHUP | select.EPOLLERR):
                    raise OSError
                if event & select.EPOLLOUT and not begun:
                    entry[2] = True
                    if kind:
                        k.send(half if kind == 1 else probe)
                    poll.modify(descriptor, select.EPOLLIN | select.EPOLLHUP)
            except OSError:
                poll.unregister(descriptor)
                del held[descriptor]
                k.close()
    found.put((tries, refused, len(held)))


def status(pid, key):
    with open(f"/proc/{pid}/status") as file:
        return next((int(line.split()[1]) * 1024 for line in file if line.startswith(key + ":")), 0)


def percentile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spark")
    parser.add_argument("--connections", type=int, default=24_000)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--addresses", type=int, default=8, help="of each process")
    parser.add_argument("--users", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--descriptors", type=int, default=0, help="of the server; 0: the system's")
    parser.add_argument("--slack", type=float, default=25, help="milliseconds that the honest p95 may always take")
    a = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    spark, work, faults = os.path.abspath(a.spark), tempfile.mkdtemp(prefix="spark-admission-"), []
    limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (a.descriptors, a.descriptors))) if a.descriptors else None
    server = None
    try:
        subprocess.run([spark, "seed", "--people", str(max(2_000, a.users)), "--data", f"{work}/data"], check=True, capture_output=True)
        emails = [f"person{i + 1}@demo.invalid" for i in range(a.users)]
        tokens = subprocess.run([spark, "token", "--data", f"{work}/data", *emails], check=True, capture_output=True, text=True).stdout.split()
        server = subprocess.Popen([spark, "serve", "--data", f"{work}/data", "--listen", "127.0.0.1:0", "--exit-with-parent"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=limit)
        ready = json.loads(server.stdout.readline())
        url, operators, pid = ready["url"], ready["operator_url"], ready["pid"]
        limits = json.loads(subprocess.run([spark, "limits", "--json", "--data", f"{work}/data"], capture_output=True, text=True).stdout)
        bound = {(row["resource"], row["scope"]): row["value"] for row in limits["limits"]}
        alone, _, failed = asyncio.run(honest(url, tokens, min(20, a.seconds)))
        before = status(pid, "VmRSS")
        print(f"alone     p50 {percentile(alone, .5):7.2f} ms  p95 {percentile(alone, .95):7.2f} ms  of {len(alone)} requests, {len(failed)} failed")
        queue, until = multiprocessing.Queue(), time.time() + a.seconds + 10
        crowd = [multiprocessing.Process(target=flood, args=(i, url, a.connections // a.processes, a.addresses, until, queue))
                 for i in range(a.processes)]
        [process.start() for process in crowd]
        time.sleep(5)
        beside, opened, failures = asyncio.run(honest(url, tokens, a.seconds))
        descriptors = len(os.listdir(f"/proc/{pid}/fd")) if server.poll() is None else -1
        if server.poll() is None:
            with urllib.request.urlopen(operators + "/metrics", timeout=30) as reply:
                metrics = reply.read().decode()
            for line in metrics.splitlines():
                if re.match(r"spark_admission_(used|refusals_total|shed_total)\{.*(connections|bodies)", line) and not line.endswith(" 0"):
                    print("         ", line)
        found = [queue.get(timeout=60) for _ in crowd]
        [process.join() for process in crowd]
        p95, allowed = percentile(beside, .95), max(2 * percentile(alone, .95), a.slack)
        print(f"beside    p50 {percentile(beside, .5):7.2f} ms  p95 {p95:7.2f} ms  of {len(beside)} requests, {len(failures)} failed "
              f"{dict((f, failures.count(f)) for f in set(failures))}; p95 may be {allowed:.2f} ms")
        print(f"          of these on a new connection p50 {percentile(opened, .5):7.2f} ms  p95 {percentile(opened, .95):7.2f} ms  of {len(opened)}")
        print(f"flood     {sum(f[0] for f in found)} connections tried, {sum(f[1] for f in found)} answered 429 or 503, "
              f"{sum(f[2] for f in found)} held at the end")
        if server.poll() is not None:
            faults.append(f"the server ended with {server.returncode}")
        else:
            peak = status(pid, "VmHWM")
            # The documented bound: the memory of connections, all bodies twice (parsed and in transit), and hashing.
            most = before + bound["connections", "total"] * 48 * 1024 + 2 * bound["bodies", "total"] + bound["hashing", "total"]
            print(f"server    {descriptors} descriptors, {before >> 20} MiB before, {peak >> 20} MiB at most, bound {most >> 20} MiB")
            if peak > most:
                faults.append("memory passed its bound")
        if failures:
            faults.append(f"{len(failures)} honest requests failed")
        if not p95 <= allowed:
            faults.append("honest users waited too long")
    finally:
        if server:
            server.terminate()
            server.wait()
        shutil.rmtree(work, ignore_errors=True)
    print("FAIL: " + "; ".join(faults) if faults else "ok")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
