#!/usr/bin/env python3
"""Mixed load on a server that is killed (SIGKILL) again and again; afterwards everything that it acknowledged must be there.

Usage: crash.py SPARK_BINARY [--seconds S] [--kills K] [--users U] [--devices D] [--people P]
Users swipe, write, move and read decks over HTTP, devices chat on the WebSocket, and people register. Each repeats what was not answered
until it is, as an app does. The server is killed at times that nobody knows, and started again on the same port; every third time `spark
check` looks at the database first. At the end the server is killed once more, and then: `spark check` finds nothing; every acknowledged
swipe, match, message, place and account is stored; each pair has one match, and each mutual like its match; the numbers of every
conversation and the offsets of every person have no gap; each device got every event once, in order. Exit code 1 otherwise.
"""
import argparse, asyncio, base64, json, os, random, resource, shutil, signal, statistics, struct, subprocess, sys, tempfile, time
import spark_server
from soak import PASSWORD, Connection, count
from spark_server import Server, wire

SETTINGS = spark_server.OPEN + spark_server.BUSY + ["chat.new_conversations_per_day=1000", "accounts.registrations_per_day=100000"]


class Ledger:
    """What the server acknowledged, and what is wrong with it."""

    def __init__(self):
        self.swipes, self.matches, self.messages, self.places, self.accounts = {}, {}, {}, {}, {}
        self.conversations = {}
        self.tally, self.faults = {}, []

    def fault(self, text):
        if len(self.faults) < 20:
            self.faults.append(text)

    def sent(self, user, client_id, conversation, seq):
        """An acknowledgement of a message. A repeated one must say the same."""
        if self.messages.setdefault((user, client_id), (conversation, seq)) != (conversation, seq):
            self.fault(f"message {client_id} was acknowledged with two places")

    def matched(self, user, other, match):
        pair = tuple(sorted((user, other)))
        if self.matches.setdefault(pair, match["id"]) != match["id"]:
            self.fault(f"the pair {pair} got two matches")
        for one in pair:
            self.conversations.setdefault(one, set()).add(match["conversation_id"])


class Run:
    """Where the server is, who takes part, and whether the load goes on."""

    def __init__(self, target, everybody, users, tokens, ledger):
        self.target, self.everybody, self.users, self.tokens, self.ledger = target, everybody, users, tokens, ledger
        self.is_over = False

    async def settle(self, connection, method, path, token, body=None):
        """Asks until there is an answer that is not the death of the server, and counts it."""
        while True:
            try:
                status, data = await connection.ask(method, path, token() if token else None, body)
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
                connection.close()
                count(self.ledger.tally, "lost answers")
                await asyncio.sleep(0.02)
                continue
            if status == 503:
                count(self.ledger.tally, "503")
                await asyncio.sleep(0.05)
                continue
            if status >= 500:
                self.ledger.fault(f"{method} {path} was answered {status}")
            return status, json.loads(data) if data.startswith((b"{", b"[")) else {}


async def user(run, number):
    """Swipes, writes, moves and reads the deck, in random order."""
    ledger, own, connection = run.ledger, run.users[number], Connection(run.target, f"127.0.{140 + number // 250}.{number % 250 + 1}")
    swiped, deck, sent = {own}, [], 0

    def token():
        return run.tokens[number]

    while not run.is_over:
        chance = random.random()
        if chance < 0.1 or not deck:
            status, body = await run.settle(connection, "GET", "/api/v1/matches/suggestions?limit=20", token)
            count(ledger.tally, f"deck {status}")
            # Those of the load answer likes, so they make matches. Decks run out, so some of the whole town are added.
            deck = [item["id"] for item in body.get("items", [])] + random.choices(run.users, k=10) + random.choices(run.everybody, k=20)
        elif chance < 0.45:
            target, action = deck.pop(random.randrange(len(deck))), random.choice(("like", "like", "like", "pass", "skip"))
            if target in swiped:
                continue
            swiped.add(target)
            status, body = await run.settle(connection, "POST", "/api/v1/swipes", token, {"target_id": target, "action": action})
            count(ledger.tally, f"swipe {status}")
            if status == 200:
                ledger.swipes[own, target] = action
                if body.get("match"):
                    ledger.matched(own, target, body["match"])
        elif chance < 0.75 and ledger.conversations.get(own):
            sent += 1
            conversation, client_id = random.choice(list(ledger.conversations[own])), f"u{number}-{sent}"
            status, body = await run.settle(connection, "POST", f"/api/v1/conversations/{conversation}/messages", token,
                                            {"client_id": client_id, "kind": "text", "text": "hello " * random.randint(1, 20)})
            count(ledger.tally, f"message {status}")
            if status in (200, 201):
                ledger.sent(own, client_id, conversation, body["seq"])
        else:
            place = {"latitude": round(random.uniform(-60, 60), 4), "longitude": round(random.uniform(-170, 170), 4)}
            status, body = await run.settle(connection, "PUT", "/api/v1/me/location", token, place)
            count(ledger.tally, f"move {status}")
            if status == 200:
                ledger.places[own] = body
        if random.random() < 0.02:
            connection.close()
        await asyncio.sleep(random.random() * 0.02)
    connection.close()


async def newcomer(run, number):
    """People register, one after the other, and say where they are."""
    made = 0
    while not run.is_over:
        made += 1
        email, connection = f"crash{number}-{made}@example.org", Connection(run.target, f"127.0.{150 + made // 250 % 50}.{made % 250 + 1}")
        status, body = await run.settle(connection, "POST", "/api/v1/auth/register", None, {
            "email": email, "password": PASSWORD, "name": "Mia", "birth_date": "1995-06-15", "gender": "woman", "interested_in": ["man"]})
        count(run.ledger.tally, f"register {status}")
        if status in (200, 201):
            run.ledger.accounts[email] = body["user"]["id"] if "user" in body else body["id"]
        elif status == 409:
            # The answer to the first try was lost with the server.
            run.ledger.accounts[email] = None
        connection.close()
        await asyncio.sleep(random.random())


class Device:
    """A device on the stream, as the protocol asks for: it resumes at its last offset, and resends what was not acknowledged."""

    def __init__(self, run, number):
        self.run, self.number, self.own = run, number, run.users[number]
        self.offset, self.epoch, self.outbox, self.sent = None, None, {}, 0
        self.first, self.shown, self.addressed, self.writer = None, {}, {}, None

    def send(self, message):
        self.frame(json.dumps(message).encode(), 1)

    def frame(self, data, opcode):
        mask = os.urandom(4)
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        self.writer.write(bytes([0x80 | opcode]) + size + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(data)))

    async def received(self, reader):
        """The next message of the server."""
        while True:
            first, second = await reader.readexactly(2)
            size = second & 0x7F
            if size > 125:
                size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
            data = await reader.readexactly(size)
            if first & 15 == 9:
                self.frame(data, 10)
            elif first & 15 == 8:
                raise ConnectionResetError
            elif first & 15 == 1:
                return json.loads(data)

    def heard(self, frame):
        """Takes one message in. Returns whether the device is caught up."""
        ledger, kind = self.run.ledger, frame.get("type")
        if "offset" in frame and kind not in ("welcome", "live"):
            if self.offset is not None and frame["offset"] != self.offset + 1:
                ledger.fault(f"device {self.number}: offset {frame['offset']} came after {self.offset}")
            self.offset = frame["offset"]
        if kind == "welcome":
            if self.epoch not in (None, frame["epoch"]):
                ledger.fault(f"device {self.number}: the history has another name after a kill")
            self.epoch = frame["epoch"]
            if self.offset is None:
                self.offset = self.first = frame["offset"]
        elif kind == "resync":
            ledger.fault(f"device {self.number}: resync")
        elif kind == "message":
            place = frame["conversation_id"] if "conversation_id" in frame else frame["conversation"], frame["seq"]
            self.shown[place] = self.shown.get(place, 0) + 1
        elif kind == "ack":
            count(ledger.tally, "message on the stream")
            self.outbox.pop(frame["client_id"], None)
            ledger.sent(self.own, frame["client_id"], self.addressed[frame["client_id"]], frame["seq"])
        elif kind in ("nack", "error") and not frame.get("temporary"):
            ledger.fault(f"device {self.number}: {frame.get('code')}")
        return kind == "live"

    async def connected(self):
        reader, self.writer = await asyncio.wait_for(
            asyncio.open_connection(*self.run.target, local_addr=(f"127.0.{145 + self.number // 250}.{self.number % 250 + 1}", 0)), 20)
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write((f"GET /api/v1/ws HTTP/1.1\r\nHost: spark\r\nAuthorization: Bearer {self.run.tokens[self.number]}\r\n"
                           f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: spark.v1\r\n"
                           f"Sec-WebSocket-Key: {key}\r\n\r\n").encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        if b" 101 " not in head:
            raise ConnectionResetError
        count(self.run.ledger.tally, "WebSocket")
        self.send({"type": "hello", "v": 1, **({"offset": self.offset, "epoch": self.epoch} if self.epoch else {})})
        return reader

    def write(self):
        """Sends the unacknowledged messages again, or a new one."""
        conversations = self.run.ledger.conversations.get(self.own)
        if not self.outbox and conversations and not self.run.is_over:
            self.sent += 1
            client_id, conversation = f"d{self.number}-{self.sent}", random.choice(list(conversations))
            self.addressed[client_id] = conversation
            self.outbox[client_id] = {"conversation": conversation, "kind": "text", "text": "well, well"}
        for client_id, message in self.outbox.items():
            self.send({"type": "message.send", "client_id": client_id, **message})

    async def work(self, until):
        """Stays connected until `until` says that it has everything."""
        while not until(self):
            try:
                reader, is_live, due = await self.connected(), False, 0
                while not until(self):
                    try:
                        frame = await asyncio.wait_for(self.received(reader), 0.1)
                    except asyncio.TimeoutError:
                        frame = None
                    if frame and self.heard(frame):
                        is_live = True
                    if is_live and time.time() > due:
                        self.write()
                        due = time.time() + random.uniform(0.05, 0.4)
            except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError):
                await asyncio.sleep(0.02)
            finally:
                if self.writer:
                    self.writer.close()


def verify(data, run, devices):
    """Compares the database with what was acknowledged."""
    ledger, actions = run.ledger, {"pass": 0, "like": 1, "superlike": 2, "skip": 3}
    with spark_server.database(data) as rows:
        swipes = {(wire("usr", a), wire("usr", b)): action for a, b, action in rows.execute("SELECT user_id, target_id, action FROM matching_swipes")}
        matches = {}
        for match, conversation, a, b in rows.execute("SELECT id, conversation_id, user_a, user_b FROM matching_matches"):
            pair = tuple(sorted((wire("usr", a), wire("usr", b))))
            if pair in matches:
                ledger.fault(f"the pair {pair} has two matches")
            matches[pair] = wire("mat", match), wire("cnv", conversation)
        messages = {(wire("usr", sender), client): (wire("cnv", conversation), seq) for sender, client, conversation, seq in
                    rows.execute("SELECT sender_id, client_id, conversation_id, seq FROM chat_messages")}
        for conversation, last, stored, highest in rows.execute(
                "SELECT c.id, c.last_seq, count(m.seq), coalesce(max(m.seq), 0) FROM chat_conversations c"
                " LEFT JOIN chat_messages m ON m.conversation_id = c.id GROUP BY c.id"):
            if not last == stored == highest:
                ledger.fault(f"conversation {conversation}: {stored} messages, the highest is {highest}, the next follows {last}")
        heads = {}
        for owner, lowest, highest, stored, floor in rows.execute(
                "SELECT i.user_id, min(i.offset), max(i.offset), count(*), coalesce(f.offset, 0) FROM spark_inbox i"
                " LEFT JOIN spark_inbox_floors f ON f.user_id = i.user_id GROUP BY i.user_id"):
            heads[wire("usr", owner)] = highest
            if lowest != floor + 1 or stored != highest - floor:
                ledger.fault(f"the events of {owner}: {stored} from {lowest} to {highest} after {floor}")
        told = {(wire("usr", owner), offset): (wire("cnv", subject), seq) for owner, offset, subject, seq in
                rows.execute("SELECT user_id, offset, subject, ordinal FROM spark_inbox WHERE type = 'message'")}
        accounts = {email: wire("usr", number) for number, email in rows.execute("SELECT id, email FROM accounts_users")}
    for key, action in ledger.swipes.items():
        if swipes.get(key) != actions[action]:
            ledger.fault(f"swipe {key}: {action} was acknowledged, {swipes.get(key)} is stored")
    for pair, match in ledger.matches.items():
        if matches.get(pair, ("",))[0] != match:
            ledger.fault(f"match {match} of {pair} was acknowledged, {matches.get(pair)} is stored")
    for (a, b), action in ledger.swipes.items():
        if action == "like" and ledger.swipes.get((b, a)) == "like" and tuple(sorted((a, b))) not in matches:
            ledger.fault(f"{a} and {b} like each other and have no match")
    for key, place in ledger.messages.items():
        found = messages.get(key)
        if found != place:
            ledger.fault(f"message {key}: {place} was acknowledged, {found} is stored")
    for email, account in ledger.accounts.items():
        if email not in accounts or account not in (None, accounts[email]):
            ledger.fault(f"account {email}: {account} was acknowledged, {accounts.get(email)} is stored")
    for device in devices:
        if device.first is None:
            ledger.fault(f"device {device.number} was never greeted")
            continue
        due = [place for (owner, offset), place in told.items() if owner == device.own and device.first < offset <= device.offset]
        if device.offset != heads.get(device.own, 0) or sorted(due) != sorted(device.shown) or any(times > 1 for times in device.shown.values()):
            ledger.fault(f"device {device.number} is at {device.offset} of {heads.get(device.own)}, was shown {len(device.shown)} of {len(due)} messages")
    return len(matches)


def places_and_logins(server, run):
    """What only a running server shows: the last place of each user, and that the registered can log in."""
    for user, token in zip(run.users, run.tokens):
        if user in run.ledger.places:
            found, kept = json.loads(server.get("/api/v1/me", token))["location"], run.ledger.places[user]
            if any(abs(found[key] - kept[key]) > 1e-9 for key in ("latitude", "longitude")):
                run.ledger.fault(f"the place of {user}: {kept} was acknowledged, {found} is stored")

    async def log_in():
        for number, email in enumerate(random.sample(sorted(run.ledger.accounts), min(5, len(run.ledger.accounts)))):
            connection = Connection(run.target, f"127.0.210.{number + 1}")
            status, _ = await connection.ask("POST", "/api/v1/auth/login", body={"email": email, "password": PASSWORD})
            connection.close()
            if status != 200:
                run.ledger.fault(f"{email} registered and logs in with {status}")

    asyncio.run(log_in())


def check(spark, data, ledger):
    done = subprocess.run([spark, "check", "--data", data], capture_output=True, text=True)
    if done.returncode:
        ledger.fault(f"spark check: {done.returncode} {(done.stdout + done.stderr)[-500:]}")


async def load(a, spark, data, server, run, devices):
    """The load, and the kills. Returns the last server, which runs, and how long each start took."""
    starts, begin, renewed = [], time.time(), time.time()
    tasks = [asyncio.create_task(user(run, number)) for number in range(a.users)]
    tasks += [asyncio.create_task(newcomer(run, number)) for number in range(2)]
    sockets = [asyncio.create_task(device.work(lambda own: run.is_over and not own.outbox)) for device in devices]
    for number in range(a.kills):
        due = begin + a.seconds * (number + random.uniform(0.6, 1.2)) / (a.kills + 0.5)
        await asyncio.sleep(max(0.2, due - time.time()))
        if server.process.poll() is not None:
            run.ledger.fault(f"the server ended by itself with {server.process.returncode}")
        server.process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(server.process.wait)
        if number % 3 == 2:
            await asyncio.to_thread(check, spark, data, run.ledger)
        start = time.time()
        server = await asyncio.to_thread(Server, spark, data, SETTINGS, None, f"127.0.0.1:{run.target[1]}")
        starts.append(time.time() - start)
        if time.time() - renewed > 480:
            run.tokens[:] = await asyncio.to_thread(spark_server.tokens, spark, data, run.users)
            renewed = time.time()
    await asyncio.sleep(max(1, begin + a.seconds - time.time()))
    run.is_over = True
    _, late = await asyncio.wait(tasks + sockets, timeout=60)
    for task in late:
        run.ledger.fault("a request was never answered")
        task.cancel()
    for task in tasks + sockets:
        if task.done() and not task.cancelled() and task.exception():
            run.ledger.fault(f"the load broke: {task.exception()!r}")
    # Now that nobody writes, every device catches up.
    heads = {}
    with spark_server.database(data) as rows:
        for owner, head in rows.execute("SELECT user_id, max(offset) FROM spark_inbox GROUP BY user_id"):
            heads[wire("usr", owner)] = head
    await asyncio.wait([asyncio.create_task(device.work(lambda own: own.offset is not None and own.offset >= heads.get(own.own, 0)))
                        for device in devices], timeout=60)
    return server, starts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spark")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--users", type=int, default=80)
    parser.add_argument("--devices", type=int, default=20)
    parser.add_argument("--people", type=int, default=5_000)
    a = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    spark, work, server, ledger = os.path.abspath(a.spark), tempfile.mkdtemp(prefix="spark-crash-"), None, Ledger()
    data = f"{work}/data"
    try:
        spark_server.seed(spark, a.people, data)
        with spark_server.database(data) as rows:
            everybody = [wire("usr", row[0]) for row in rows.execute(
                "SELECT id FROM profiles_users WHERE closed = 0 AND paused = 0 AND incognito = 0 ORDER BY id")]
        known = everybody[:a.users]
        server = Server(spark, data, SETTINGS)
        run = Run(server.target, everybody, known, spark_server.tokens(spark, data, known), ledger)
        a.users = len(known)
        devices = [Device(run, number) for number in range(min(a.devices, a.users))]
        server, starts = asyncio.run(load(a, spark, data, server, run, devices))
        server.process.kill()
        server.process.wait()
        check(spark, data, ledger)
        matches = verify(data, run, devices)
        server = Server(spark, data, SETTINGS, None, f"127.0.0.1:{run.target[1]}")
        places_and_logins(server, run)
        server.stop()
        if server.process.returncode:
            ledger.fault(f"the server stopped with {server.process.returncode}")
        print(f"{a.kills + 1} kills in {a.seconds:.0f} s; ready again after {statistics.median(starts or [0]) * 1000:.0f} ms (median), "
              f"{max(starts or [0]) * 1000:.0f} ms at most")
        print(f"acknowledged and there: {len(ledger.swipes)} swipes, {len(ledger.matches)} matches (of {matches} stored), "
              f"{len(ledger.messages)} messages, {len(ledger.accounts)} accounts, the places of {len(ledger.places)} users")
        print(json.dumps(dict(sorted(ledger.tally.items()))))
    finally:
        if server and server.process.poll() is None:
            server.process.kill()
            server.process.wait()
        shutil.rmtree(work, ignore_errors=True)
    print("FAIL: " + "\n  ".join(ledger.faults) if ledger.faults else "ok")
    return 1 if ledger.faults else 0


if __name__ == "__main__":
    sys.exit(main())
