#!/usr/bin/env python3
"""Spark's HTTPS beside nginx's with the same certificate, by wrk, in one run.

Usage: tls.py SPARK_BINARY [--seconds S] [--rounds R] [--connections C] [--compare OTHER_BINARY]
Both answer the same 15 bytes with the same header lines, by turns: on connections that last, and with a handshake for each request. nginx has
as many workers as Spark has event loops, and the ciphers that `spark export nginx` writes. Plain HTTP is measured too, with --compare also that
of an earlier binary. Prints requests/s (medians of the rounds) and the processor time of a request. Needs wrk, nginx and openssl. Exit
code 1 when a request failed.
"""
import argparse, os, re, socket, statistics, subprocess, sys, tempfile, time
import spark_server
from spark_server import OtherWork, Server, children, processor_seconds

FIELDS = ["X-Content-Type-Options: nosniff", "X-Frame-Options: DENY", "Referrer-Policy: no-referrer",
          "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'", "Cross-Origin-Resource-Policy: same-origin",
          "X-Request-Id: 0123456789abcdef", "Cache-Control: private, no-store"]
STRICT = "Strict-Transport-Security: max-age=31536000"
BODY = '{"status":"ok"}'


def site(spark, certificate, key):
    """The lines on TLS of the file for nginx that the binary writes."""
    text = subprocess.run([spark, "export", "nginx", "--domain", "localhost", "--certificate", certificate, "--key", key],
                          check=True, capture_output=True, text=True).stdout
    return "\n".join(line for line in text.splitlines() if line.strip().startswith("ssl_"))


class Nginx:
    """nginx with a plain and a TLS port."""

    def __init__(self, work, tls):
        def free():
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                return taken.getsockname()[1]

        def server(port, extra, fields):
            adds = "".join('add_header {} "{}";'.format(*field.split(": ", 1)) for field in fields)
            return f"server {{ listen 127.0.0.1:{port}{' ssl' if extra else ''}; {extra} default_type application/json; {adds} " \
                f"location / {{ return 200 '{BODY}'; }} }}\n"

        plain, secure = free(), free()
        paths = "".join(f"{key}_temp_path {work}/{key};" for key in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(f"{work}/nginx.conf", "w") as file:
            file.write(f"""{'user root;' if os.getuid() == 0 else ''} worker_processes {os.cpu_count()}; pid {work}/nginx.pid; daemon off;
error_log {work}/error.log; events {{ worker_connections 2048; }}
http {{ access_log off; keepalive_requests 100000000; {paths}
{server(plain, "", FIELDS)}{server(secure, tls, FIELDS + [STRICT])} }}
""")
        self.process = subprocess.Popen(["nginx", "-c", f"{work}/nginx.conf", "-e", f"{work}/error.log"])
        self.urls = {"plain": f"http://127.0.0.1:{plain}/healthz", "tls": f"https://127.0.0.1:{secure}/healthz"}
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", secure)).close()
                break
            except OSError:
                time.sleep(0.05)
        self.pids = children(self.process.pid)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def sample(url, pids, seconds, connections, closes):
    """Requests/s, processor time of a request in µs, and the number of requests that failed."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s"] + (["-H", "Connection: close"] if closes else [])
    before = processor_seconds(*pids)
    out = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    requests = max(1, int(re.search(r"(\d+) requests in", out).group(1)))
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", out)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    # A client that closes counts the end of the connection as an error of reading now and then; the others count.
    failed = (int(bad.group(1)) if bad else 0) + (sum(int(n) for i, n in enumerate(errors.groups()) if i != 1 or not closes) if errors else 0)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
    return rate, (processor_seconds(*pids) - before) / requests * 1e6, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spark")
    parser.add_argument("--compare")
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--connections", type=int, default=64)
    options = parser.parse_args()
    if name := spark_server.missing("wrk", "nginx", "openssl"):
        sys.exit(f"{name} is not installed")
    other, failed = OtherWork(), 0
    with tempfile.TemporaryDirectory() as work:
        certificate, key = f"{work}/certificate.pem", f"{work}/key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                        "/CN=localhost", "-keyout", key, "-out", certificate], check=True, capture_output=True)
        tls = [f"tls.certificate_file={certificate}", f"tls.key_file={key}", "tls.handshakes_per_minute=0"]
        servers = [Server(options.spark, f"{work}/plain", spark_server.OPEN), Server(options.spark, f"{work}/tls", spark_server.OPEN + tls)]
        if options.compare:
            servers.append(Server(options.compare, f"{work}/earlier", spark_server.OPEN))
        nginx = Nginx(work, site(options.spark, certificate, key))
        rows = [("plain, kept connections", False, [("Spark", servers[0].url, [servers[0].pid]), ("nginx", nginx.urls["plain"], nginx.pids)]
                 + ([("earlier", servers[2].url, [servers[2].pid])] if options.compare else [])),
                ("TLS, kept connections", False, [("Spark", servers[1].url, [servers[1].pid]), ("nginx", nginx.urls["tls"], nginx.pids)]),
                ("TLS, a handshake each", True, [("Spark", servers[1].url, [servers[1].pid]), ("nginx", nginx.urls["tls"], nginx.pids)])]
        print(f"{'':28}{'':10}{'requests/s':>12}{'µs a request':>14}")
        for title, closes, peers in rows:
            found = {name: [] for name, _, _ in peers}
            for _ in range(options.rounds):
                for name, url, pids in peers:
                    address = url if url.endswith("/healthz") else url + "/healthz"
                    found[name].append(sample(address, pids, options.seconds, options.connections, closes))
            for name, samples in found.items():
                rate, cpu = (statistics.median(part[index] for part in samples) for index in (0, 1))
                failed += sum(part[2] for part in samples)
                print(f"{title:28}{name:10}{rate:12,.0f}{cpu:14.1f}")
        for server in servers:
            server.stop()
        nginx.stop()
    print(f"{failed} requests failed; {other}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
