#!/usr/bin/env python3
"""An hour of mixed use, to see whether the server's memory, descriptors and threads come to rest.

Usage: soak.py SPARK_BINARY [--minutes M] [--users U] [--sockets S] [--churn C] [--set KEY=VALUE ...]
Starts a server of its own with a demo town. Users read, swipe and chat over kept connections; others connect, send half a request and
reset; passwords are tried, people register and are erased, and people export their data. Each minute it prints what the server uses.
Exit code 1 when the server died, answered 5xx, or its memory grew faster in the last third than --growth MiB an hour beyond the cache.
"""
import argparse, asyncio, base64, json, os, random, re, resource, shutil, socket, struct, subprocess, sys, tempfile, time, urllib.request

PASSWORD = "correct horse battery"
JSON_HEAD = "Content-Type: application/json\r\n"


class Connection:
    """A kept HTTP connection from an address of its own; opened anew when it was closed."""

    def __init__(self, target, source):
        self.target, self.source, self.streams = target, source, None

    async def ask(self, method, path, token=None, body=None):
        data = json.dumps(body).encode() if body is not None else b""
        head = f"{method} {path} HTTP/1.1\r\nHost: spark\r\n"
        if token:
            head += f"Authorization: Bearer {token}\r\n"
        if data:
            head += JSON_HEAD
        request = (head + f"Content-Length: {len(data)}\r\n\r\n").encode() + data
        for attempt in (1, 2):
            fresh = self.streams is None
            if fresh:
                self.streams = await asyncio.wait_for(asyncio.open_connection(*self.target, local_addr=(self.source, 0)), 20)
            try:
                self.streams[1].write(request)
                return await asyncio.wait_for(self.answer(), 60)
            except (OSError, asyncio.IncompleteReadError):
                self.close()
                if fresh or attempt == 2:
                    raise

    async def answer(self):
        head = await self.streams[0].readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        chunked = b"chunked" in head.lower()
        body = await self.streams[0].readexactly(int(length.group(1))) if length else b""
        while chunked:
            size = int(await self.streams[0].readline(), 16)
            body += await self.streams[0].readexactly(size)
            await self.streams[0].readline()
            if size == 0:
                break
        if b"connection: close" in head.lower():
            self.close()
        return int(head.split(b" ", 2)[1]), body

    def close(self):
        if self.streams:
            self.streams[1].close()
        self.streams = None


def count(tally, status):
    tally[status] = tally.get(status, 0) + 1


async def user(number, target, tokens, tally, until):
    """Reads, swipes and writes by REST, every second or so."""
    connection = Connection(target, f"127.0.{100 + number // 250}.{number % 250 + 1}")
    conversation = None
    await asyncio.sleep(random.random() * 2)
    while time.time() < until:
        token = tokens[number]
        try:
            chance = random.random()
            if chance < 0.35:
                status, body = await connection.ask("GET", "/api/v1/matches/suggestions?limit=10", token)
                if status == 200 and chance < 0.1:
                    for item in json.loads(body)["items"][:3]:
                        action = random.choice(("like", "skip", "skip"))
                        count(tally, (await connection.ask("POST", "/api/v1/swipes", token, {"target_id": item["id"], "action": action}))[0])
            elif chance < 0.55:
                status, body = await connection.ask("GET", "/api/v1/conversations", token)
                if status == 200 and json.loads(body)["items"]:
                    conversation = random.choice(json.loads(body)["items"])["id"]
            elif chance < 0.7 and conversation:
                status, _ = await connection.ask("GET", f"/api/v1/conversations/{conversation}/messages?limit=50", token)
            elif chance < 0.8 and conversation:
                body = {"client_id": f"r{number}-{time.time()}", "kind": "text", "text": "hello " * random.randint(1, 20)}
                status, _ = await connection.ask("POST", f"/api/v1/conversations/{conversation}/messages", token, body)
            elif chance < 0.83:
                status, _ = await connection.ask("PATCH", "/api/v1/me", token, {"about": "x" * random.randint(0, 500)})
            elif chance < 0.835:
                status, _ = await connection.ask("GET", "/api/v1/me/export", token)
            else:
                status, _ = await connection.ask("GET", "/api/v1/me", token)
            count(tally, status)
        except Exception as error:
            count(tally, type(error).__name__)
            connection.close()
        if random.random() < 0.05:
            connection.close()
        await asyncio.sleep(random.uniform(0.5, 1.5))
    connection.close()


async def device(number, target, tokens, tally, until):
    """A device on the stream that writes now and then, and comes back after some minutes."""
    source = f"127.0.{110 + number // 250}.{number % 250 + 1}"
    rest = Connection(target, source)
    while time.time() < until:
        writer = None
        try:
            token = tokens[number]
            status, body = await rest.ask("GET", "/api/v1/conversations", token)
            conversations = [item["id"] for item in json.loads(body)["items"]] if status == 200 else []
            rest.close()
            reader, writer = await asyncio.wait_for(asyncio.open_connection(*target, local_addr=(source, 0)), 20)
            key = base64.b64encode(os.urandom(16)).decode()
            writer.write((f"GET /api/v1/ws HTTP/1.1\r\nHost: spark\r\nAuthorization: Bearer {token}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: spark.v1\r\nSec-WebSocket-Key: {key}\r\n\r\n").encode())
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
            count(tally, "ws" + head.split(b" ", 2)[1].decode())
            if b" 101 " not in head:
                await asyncio.sleep(5)
                continue

            def send(text, opcode=1):
                data, mask = text if isinstance(text, bytes) else text.encode(), os.urandom(4)
                size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
                writer.write(bytes([0x80 | opcode]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

            async def receive():
                while True:
                    first, second = await reader.readexactly(2)
                    size = second & 0x7F
                    if size == 126:
                        size = struct.unpack(">H", await reader.readexactly(2))[0]
                    elif size == 127:
                        size = struct.unpack(">Q", await reader.readexactly(8))[0]
                    data = await reader.readexactly(size)
                    if first & 15 == 9:
                        send(data, 10)
                    elif first & 15 == 8:
                        raise ConnectionResetError
                    elif first & 15 == 1:
                        count(tally, "frame " + json.loads(data).get("type", "?"))

            send('{"type":"hello","v":1}')
            listener = asyncio.create_task(receive())
            end = min(until, time.time() + random.uniform(60, 300))
            while time.time() < end and not listener.done():
                if conversations:
                    send(json.dumps({"type": "message.send", "client_id": f"w{number}-{time.time()}", "conversation": random.choice(conversations),
                                     "kind": "text", "text": "well, " * random.randint(1, 15)}))
                await asyncio.sleep(random.uniform(3, 9))
            listener.cancel()
            try:
                await listener
            except (asyncio.CancelledError, OSError, asyncio.IncompleteReadError):
                pass
        except Exception as error:
            count(tally, "device " + type(error).__name__)
            await asyncio.sleep(1)
        finally:
            if writer:
                # A third leave without a word, by a reset.
                if random.random() < 0.33:
                    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.close()


async def churn(number, target, tally, until, rate):
    """Connections that come, send all, half or nothing, and are reset."""
    heads = (b"", b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HT",
             b"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n" + b" " * 4000,
             b"GET /api/v1/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer wrong\r\n\r\n")
    tick = 0
    while time.time() < until:
        tick += 1
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(*target, local_addr=(f"127.0.120.{tick % 250 + 1}", 0)), 20)
            writer.write(random.choice(heads))
            await asyncio.sleep(random.uniform(0, 1))
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.close()
            count(tally, "reset")
        except Exception as error:
            count(tally, "churn " + type(error).__name__)
        await asyncio.sleep(random.expovariate(rate))


async def newcomer(target, tally, until):
    """Somebody registers, looks around, and has the account deleted; and somebody guesses passwords."""
    number = 0
    while time.time() < until:
        number += 1
        source = f"127.0.{130 + number // 250 % 100}.{number % 250 + 1}"
        connection = Connection(target, source)
        try:
            email = f"soak{number}-{random.random()}@example.org"
            status, body = await connection.ask("POST", "/api/v1/auth/register", body={
                "email": email, "password": PASSWORD, "name": "Mia", "birth_date": "1995-06-15", "gender": "woman", "interested_in": ["man"]})
            count(tally, f"register {status}")
            if status in (200, 201):
                token = json.loads(body)["access_token"]
                await connection.ask("PUT", "/api/v1/me/location", token, {"latitude": 35.67, "longitude": 139.65})
                await connection.ask("GET", "/api/v1/matches/suggestions?limit=20", token)
                status, _ = await connection.ask("DELETE", "/api/v1/me", token, {"password": PASSWORD})
                count(tally, f"delete {status}")
            status, _ = await connection.ask("POST", "/api/v1/auth/login", body={"email": email, "password": "wrong horse battery"})
            count(tally, f"login {status}")
        except Exception as error:
            count(tally, "newcomer " + type(error).__name__)
        connection.close()
        await asyncio.sleep(random.uniform(2, 6))


def status_of(pid):
    with open(f"/proc/{pid}/status") as file:
        fields = dict(line.split(":", 1) for line in file)
    return {key: int(fields[key].split()[0]) for key in ("VmRSS", "RssAnon", "RssFile", "Threads")}


def metric(text, name):
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if re.match(name + " ", line))


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spark")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--users", type=int, default=150)
    parser.add_argument("--sockets", type=int, default=300)
    parser.add_argument("--churn", type=float, default=8, help="connections a second that are reset")
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--growth", type=float, default=24, help="MiB an hour that memory may grow in the last third")
    parser.add_argument("--set", action="append", default=[], help="a setting of the server")
    a = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    spark, work, faults = os.path.abspath(a.spark), tempfile.mkdtemp(prefix="spark-soak-"), []
    names = [f"person{i + 1}@demo.invalid" for i in range(max(a.users, a.sockets))]
    tokens, tally, samples = [], {}, []

    def renew():
        tokens[:] = subprocess.run([spark, "token", "--data", f"{work}/data", *names], check=True, capture_output=True, text=True).stdout.split()

    server = None
    try:
        subprocess.run([spark, "seed", "--people", str(a.people), "--data", f"{work}/data"], check=True, capture_output=True)
        renew()
        server = subprocess.Popen([spark, "serve", "--data", f"{work}/data", "--listen", "127.0.0.1:0", "--set", "operator.listen=127.0.0.1:0",
                                   "--exit-with-parent", *[word for item in a.set for word in ("--set", item)]],
                                  stdout=subprocess.PIPE, stderr=open(f"{work}/log", "w"), text=True)
        ready = json.loads(server.stdout.readline())
        host, port = ready["url"].removeprefix("http://").split(":")
        target, pid, begin = (host, int(port)), ready["pid"], time.time()
        until = begin + a.minutes * 60
        tasks = [asyncio.create_task(user(i, target, tokens, tally, until)) for i in range(a.users)]
        tasks += [asyncio.create_task(device(i, target, tokens, tally, until)) for i in range(a.sockets)]
        tasks += [asyncio.create_task(churn(i, target, tally, until, a.churn / 4)) for i in range(4)]
        tasks += [asyncio.create_task(newcomer(target, tally, until))]
        renewed = begin
        print("minute   RSS MiB  anonymous  file  cache MiB  threads  descriptors  requests", flush=True)
        while time.time() < until and server.poll() is None:
            await asyncio.sleep(min(60, max(1, until - time.time())))
            if server.poll() is not None:
                break
            if time.time() - renewed > 480:
                await asyncio.to_thread(renew)
                renewed = time.time()
            text = await asyncio.to_thread(lambda: urllib.request.urlopen(ready["operator_url"] + "/metrics", timeout=30).read().decode())
            used, minute = status_of(pid), (time.time() - begin) / 60
            cache = metric(text, r"spark_cache_bytes\{layer=\"l1\"\}") / 1048576
            samples.append((minute, used["RssAnon"] / 1024, cache))
            done = sum(number for key, number in tally.items() if isinstance(key, int))
            print(f"{minute:6.1f} {used['VmRSS'] / 1024:9.1f} {used['RssAnon'] / 1024:10.1f} {used['RssFile'] / 1024:5.1f} {cache:10.1f} "
                  f"{used['Threads']:8d} {len(os.listdir(f'/proc/{pid}/fd')):12d} {done:9d}", flush=True)
        if server.poll() is None:
            await asyncio.wait(tasks, timeout=90)
    finally:
        if server:
            if server.poll() is not None:
                faults.append(f"the server ended with {server.returncode}")
            server.terminate()
            server.wait()
            with open(f"{work}/log") as log:
                lines = [line for line in log if re.search(r" (warning|error|critical) ", line)]
            print(f"{len(lines)} lines of the log are warnings or worse", *lines[:5], sep="\n  ")
        shutil.rmtree(work, ignore_errors=True)
    print(json.dumps({str(key): tally[key] for key in sorted(tally, key=str)}))
    failed = sum(number for key, number in tally.items() if isinstance(key, int) and key >= 500 or str(key).startswith(("register 5", "login 5", "delete 5")))
    if failed:
        faults.append(f"{failed} answers were 5xx")
    last = [(minute, anonymous - cache) for minute, anonymous, cache in samples[len(samples) * 2 // 3:]]
    # A password hash takes 128 MiB while it runs: samples with one under way say nothing about what stays.
    last = [sample for sample in last if sample[1] < min(beyond for _, beyond in last) + 32]
    if len(last) > 2:
        # Least squares of memory beyond the cache over time, in MiB an hour.
        x, y = [s[0] / 60 for s in last], [s[1] for s in last]
        mx, my = sum(x) / len(x), sum(y) / len(y)
        slope = sum((p - mx) * (q - my) for p, q in zip(x, y)) / max(1e-9, sum((p - mx) ** 2 for p in x))
        print(f"beyond the cache {my:.0f} MiB; growth in the last third {slope:.1f} MiB an hour")
        if slope > a.growth and a.minutes >= 30:
            faults.append("memory does not come to rest")
    print("FAIL: " + "; ".join(faults) if faults else "ok")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
