"""Redis as well as it can be used for two-way decks: a geo set for each gender and each gender that its people seek, asked in
growing rings, all else filtered by the client, which holds everybody's attributes in its own memory."""
import math, multiprocessing, os, socket, subprocess, time
from match_town import metres

# The first ring; the next one is as much wider as the people found so far let expect to suffice, within these bounds.
FIRST_METRES = 1_000.0
GROWTH = (1.4, 3.0)


class Redis:
    def __init__(self, town, work):
        self.town, self.path = town, f"{work}/redis.sock"
        self.server = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.path, "--save", "", "--appendonly", "no", "--dir", work],
            stdout=subprocess.DEVNULL)
        while not os.path.exists(self.path):
            if self.server.poll() is not None:
                raise SystemExit("redis-server ended")
            time.sleep(0.01)
        self.connection = Connection(self.path)
        # The attributes that the client needs, by member name.
        self.known = {}

    def stop(self):
        self.server.terminate()
        self.server.wait()

    def load(self):
        pending = []
        for person in self.town.people.values():
            if person.incognito:
                continue
            name = b"%d" % person.id
            self.known[name] = (person.birth, person.min_age, person.max_age, person.last_active, person.reach, person.place)
            for seeks in range(3):
                if person.seeks >> seeks & 1:
                    pending.append((b"GEOADD", b"c:%d:%d" % (person.gender, seeks), b"%.15f" % person.place[1],
                                    b"%.15f" % person.place[0], name))
            if len(pending) >= 500:
                self.connection.ask(pending)
                pending.clear()
        if pending:
            self.connection.ask(pending)

    def nearest(self, probe, connection):
        """Ids, and the seconds spent waiting for the server."""
        viewer, known, inside = probe.viewer, self.known, 0.0
        swiped = probe.swiped_names
        here, radius = viewer.place, min(FIRST_METRES, viewer.reach)
        keys = [b"c:%d:%d" % (gender, viewer.gender) for gender in range(3) if viewer.seeks >> gender & 1]
        longitude, latitude = b"%.15f" % here[1], b"%.15f" % here[0]
        born_from, born_to, age, since, reach = probe.born_from, probe.born_to, probe.age, self.town.active_since, viewer.reach
        while True:
            # Its places are off by up to a metre and its Earth is a little larger.
            asked = b"%.3f" % (radius * 1.001 + 5)
            began = time.perf_counter()
            rings = connection.ask([(b"GEOSEARCH", key, b"FROMLONLAT", longitude, latitude, b"BYRADIUS", asked, b"m")
                                    for key in keys])
            inside += time.perf_counter() - began
            found = []
            for members in rings:
                for name in members:
                    birth, min_age, max_age, last_active, their_reach, place = known[name]
                    if (born_from <= birth <= born_to and min_age <= age <= max_age and last_active >= since
                            and name not in swiped):
                        distance = metres(here, place)
                        if distance <= radius and distance <= their_reach:
                            found.append((distance, name))
            if len(found) >= self.town.limit or radius >= reach:
                found.sort()
                own = b"%d" % viewer.id
                return [int(name) for _, name in found if name != own][:self.town.limit], inside
            growth = math.sqrt(1.5 * self.town.limit / max(1, len(found)))
            radius = min(min(max(growth, GROWTH[0]), GROWTH[1]) * radius, reach)

    def prepare(self):
        for probe in self.town.probes:
            probe.swiped_names = {b"%d" % one for one in probe.excluded} | {b"%d" % probe.viewer.id}

    def answers(self):
        self.prepare()
        for probe in self.town.probes:
            yield probe.number, self.nearest(probe, self.connection)[0]

    def measure(self):
        """Microseconds of each query, and those of them spent in the server and in transit."""
        times, waits = [], []
        for probe in self.town.probes:
            began = time.perf_counter()
            _, inside = self.nearest(probe, self.connection)
            times.append((time.perf_counter() - began) * 1e6)
            waits.append(inside * 1e6)
        return times, waits

    def rate_of_two(self):
        """Queries a second of two clients, each in its own process."""
        context = multiprocessing.get_context("fork")
        ends = [context.Pipe(False) for _ in range(2)]
        clients = [context.Process(target=self.ask_all, args=(number, ends[number][1])) for number in range(2)]
        for client in clients:
            client.start()
        rates = [receiving.recv() for receiving, _ in ends]
        for client in clients:
            client.join()
        return sum(rates)

    def ask_all(self, client, end):
        connection = Connection(self.path)
        half = len(self.town.probes) // 2 * client
        began = time.perf_counter()
        for probe in self.town.probes[half:] + self.town.probes[:half]:
            self.nearest(probe, connection)
        end.send(len(self.town.probes) / (time.perf_counter() - began))


class Connection:
    """Commands in one write, answers read as they come: whole numbers, and flat lists of words without line breaks."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.buffer = b""

    def ask(self, commands):
        self.socket.sendall(b"".join(
            b"*%d\r\n" % len(command) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in command)
            for command in commands))
        return [self.answer() for _ in commands]

    def answer(self):
        head = self.line()
        if head[:1] == b":":
            return int(head[1:])
        if head[:1] != b"*":
            raise SystemExit(f"redis: {head.decode()}")
        # A word has two lines, its length and itself.
        lines = 2 * int(head[1:])
        chunks, seen = [self.buffer], self.buffer.count(b"\n")
        while seen < lines:
            chunk = self.socket.recv(1 << 20)
            chunks.append(chunk)
            seen += chunk.count(b"\n")
        parts = b"".join(chunks).split(b"\r\n", lines)
        self.buffer = parts.pop()
        return parts[1::2]

    def line(self):
        while b"\r\n" not in self.buffer:
            self.buffer += self.socket.recv(1 << 16)
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line
