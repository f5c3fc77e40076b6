"""Open-loop load for the benchmarks: requests that are due at fixed times, whatever the server does (open_load.c)."""
import json, os, struct, subprocess
import spark_server

HERE = os.path.dirname(os.path.abspath(__file__))
RECORD = struct.Struct("<ddIHBB")


def build(work):
    """Compiles the program that sends the requests, the one that holds many streams, and the library that times waits for the log."""
    compiler = ["cc", "-O2", "-Wall"]
    for name in ("open_load", "stream_crowd"):
        subprocess.run([*compiler, "-o", f"{work}/{name}", f"{HERE}/{name}.c"], check=True)
    subprocess.run([*compiler, "-shared", "-fPIC", "-I", f"{HERE}/../../Sources/CGatheredLog/include", "-o", f"{work}/log_wait.so",
                    f"{HERE}/log_wait.c", "-lm"], check=True)


class Record:
    """What became of one request."""

    def __init__(self, values):
        self.due, self.milliseconds, self.index, self.status, self.kind, self.repeats = values

    @property
    def answered(self):
        """When the answer came, by the monotonic clock, in seconds."""
        return self.due + self.milliseconds / 1000

    @property
    def is_well(self):
        return 200 <= self.status < 300


class OpenLoad:
    """A load under way. `requests` has the kind (a small number), the person, method, path and body of each request."""

    def __init__(self, work, target, tokens, requests, rate, connections):
        self.records_file = f"{work}/records"
        with open(f"{work}/tokens", "w") as file:
            file.write("".join(f"{token}\n" for token in tokens))
        with open(f"{work}/requests", "w") as file:
            for kind, who, method, path, body in requests:
                file.write(f"{kind} {who} {method} {path} {'' if body is None else json.dumps(body)}\n")
        self.process = subprocess.Popen([f"{work}/open_load", target[0], str(target[1]), f"{work}/tokens", f"{work}/requests", str(rate),
                                         str(connections), self.records_file], stdout=subprocess.PIPE, text=True)

    def stop(self):
        """Ends the load. Returns its records and what it counted."""
        self.process.terminate()
        counted = self.process.stdout.read()
        if self.process.wait():
            raise RuntimeError("the load broke")
        with open(self.records_file, "rb") as file:
            return [Record(values) for values in RECORD.iter_unpack(file.read())], json.loads(counted)

    def processor_seconds(self):
        return spark_server.processor_seconds(self.process.pid)


def percentile(values, share):
    """A value that this share of some values is not above; 0 without any."""
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


class Latencies:
    """Of the requests that were due in some spans of time (begin and end by the monotonic clock)."""

    def __init__(self, records, spans):
        chosen = [record for record in records if any(begin <= record.due < end for begin, end in spans)]
        times = [record.milliseconds for record in chosen]
        self.count, self.refused = len(chosen), sum(not record.is_well for record in chosen)
        self.rate = self.count / max(1e-9, sum(end - begin for begin, end in spans))
        self.p50, self.p95, self.p99, self.p999 = (percentile(times, share) for share in (0.5, 0.95, 0.99, 0.999))
        self.most = max(times, default=0.0)


class LogWaits:
    """The waits that log_wait.c measures in a server, read from its file: first of the hook, second of the archive."""

    STEPS, BUCKETS = 16, 48 * 16

    def __init__(self, path):
        with open(path, "rb") as file:
            words = struct.unpack(f"<{2 * (3 + self.BUCKETS)}Q", file.read())
        self.tables = [words[:3 + self.BUCKETS], words[3 + self.BUCKETS:]]

    @staticmethod
    def environment(work, path):
        with open(path, "wb") as file:
            file.write(bytes(2 * 8 * (3 + LogWaits.BUCKETS)))
        return {"LD_PRELOAD": f"{work}/log_wait.so", "LOG_WAIT_FILE": path}

    def since(self, earlier, which):
        """How often, and p50, p99 and most in ms, since an earlier reading; a length is known to 4 %."""
        counts = [now - was for now, was in zip(self.tables[which][3:], earlier.tables[which][3:])]
        total = sum(counts)

        def upper(share):
            rest = total * share
            for place, count in enumerate(counts):
                rest -= count
                if count and rest <= 0:
                    return 2 ** ((place + 1) / self.STEPS) / 1e6
            return 0.0

        return total, upper(0.5), upper(0.99), upper(1.0)
