"""A Spark server for the benchmarks: a seeded town, a process on a port of the system's choice, tokens, and what it costs."""
import fcntl, functools, json, os, resource, shutil, socket, sqlite3, subprocess, time, urllib.request

# The limiter is on, at a rate that refuses nobody.
OPEN = ["http.reads_per_minute=10000000", "http.writes_per_minute=10000000", "limits.connections_per_network=1024",
        "limits.requests_per_network=1024"]
# One person of the load does what a hundred real ones do.
BUSY = ["matching.likes_per_day=100000", "chat.messages_per_day=0", "chat.bytes_per_day=0", "profiles.location_changes_per_hour=10000",
        "profiles.max_speed_kmh=0"]
DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


def missing(*programs):
    """The first of some programs that is not installed; None if all are."""
    return next((name for name in programs if not shutil.which(name)), None)


def wire(prefix, number):
    """An identifier of the database as the API writes it."""
    return prefix + "_" + "".join(DIGITS[number >> shift & 31] for shift in range(60, -1, -5))


def seed(spark, people, data):
    """Makes a demo town, and returns what the command says about it."""
    done = subprocess.run([spark, "seed", "--people", str(people), "--data", data, "--json"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def tokens(spark, data, users):
    """An access token for each of some people, valid for a quarter of an hour."""
    return subprocess.run([spark, "token", "--data", data, *users], check=True, capture_output=True, text=True).stdout.split()


def database(data):
    """The database of a data directory, for reading."""
    return sqlite3.connect(f"file:{data}/spark.db?mode=ro", uri=True)


def processor_seconds(*pids):
    """The processor time that some processes have used."""
    ticks = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class OtherWork:
    """How much of the machine's processors others use meanwhile. Figures of a busy machine say little. `known` is the processor time of
    children that have not ended."""

    def __init__(self):
        self.begin, self.busy, self.known = time.time(), self.machine() - self.own(), 0

    @staticmethod
    def machine():
        with open("/proc/stat") as file:
            user, nice, system, _, _, interrupts, soft, stolen = (int(word) for word in file.readline().split()[1:9])
        return (user + nice + system + interrupts + soft + stolen) / os.sysconf("SC_CLK_TCK")

    @staticmethod
    def own():
        """Of this process, and of its children that have ended."""
        usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(usage.ru_utime + usage.ru_stime for usage in usages)

    def __str__(self):
        share = (self.machine() - self.own() - self.busy - self.known) / (time.time() - self.begin) / os.cpu_count()
        return f"other work took {max(0, share):.0%} of the machine's processors meanwhile"


def children(pid):
    """The processes that a process has started."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


@functools.cache
def known_settings(spark):
    """The settings of a version: an earlier one does not know all that are set here, and needs none of those."""
    text = subprocess.run([spark, "config", "default"], capture_output=True, text=True, check=True).stdout
    known, section = set(), ""
    for line in text.splitlines():
        key = line.split(":")[0].strip()
        if line and not line.startswith((" ", "#")):
            section = key
        known.add(f"{section}.{key}")
    return known


def held_socket():
    """A listening socket that outlives servers, as a service manager keeps it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen(4096)
        # A passed socket gets the descriptor 3, so this one is another.
        return socket.socket(fileno=fcntl.fcntl(held.fileno(), fcntl.F_DUPFD_CLOEXEC, 4))


class Server:
    """A running server. Use it in `with`: at the end it is asked to stop. `held` is a held socket that it gets instead of an address."""

    def __init__(self, spark, data, settings=(), environment=None, listen="127.0.0.1:0", held=None):
        known = known_settings(spark)
        settings = [setting for setting in [*settings, "operator.listen="] if setting.split("=")[0] in known]
        words = [word for setting in settings for word in ("--set", setting)]
        self.data, self.log = data, f"{data}.log"
        command = [spark, "serve", "--data", data, "--listen", listen, "--exit-with-parent", *words]
        environment = {**os.environ, **(environment or {})}
        if held:
            # Only the process itself knows its number before it begins. Passed sockets begin at descriptor 3.
            command = ["/bin/bash", "-c", f'LISTEN_PID=$$ exec "$0" "$@" 3<&{held.fileno()} {held.fileno()}<&-', *command]
            environment["LISTEN_FDS"] = "1"
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment,
                                            pass_fds=[held.fileno()] if held else [])
        line = self.process.stdout.readline()
        if not line:
            with open(self.log) as log:
                raise RuntimeError("the server did not start: " + log.read()[-2000:])
        self.url = json.loads(line)["url"]
        self.pid = self.process.pid

    @property
    def target(self):
        host, port = self.url.removeprefix("http://").split(":")
        return host, int(port)

    def get(self, path, token=None):
        headers = {"Authorization": "Bearer " + token} if token else {}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=headers), timeout=60) as answer:
            return answer.read()

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
