"""The same chat load, from the same client, on Spark and on ejabberd, one after another in one run.

Spark stores every message durably before it is acknowledged; ejabberd routes and stores nothing."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

EJABBERD = """
hosts: [localhost]
loglevel: error
certfiles: []
listen:
  - port: {port}
    ip: "127.0.0.1"
    module: ejabberd_http
    backlog: 4096
    request_handlers:
      /ws: ejabberd_http_ws
auth_method: [anonymous]
anonymous_protocol: login_anon
allow_multiple_connections: true
acl:
  local: {{user_regexp: ""}}
access_rules:
  local: {{allow: local}}
  c2s: {{allow: all}}
shaper: {{}}
shaper_rules: {{}}
modules:
  mod_roster: {{}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Ejabberd:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="spark-ejabberd-")
        self.port = free_port()
        config = os.path.join(self.folder, "ejabberd.yml")
        with open(config, "w") as file:
            file.write(EJABBERD.format(port=self.port))
        for name in ("spool", "logs"):
            os.mkdir(os.path.join(self.folder, name))
        self.environment = dict(
            os.environ,
            EJABBERD_CONFIG_PATH=config,
            SPOOL_DIR=os.path.join(self.folder, "spool"),
            LOGS_DIR=os.path.join(self.folder, "logs"),
            ERLANG_NODE=f"spark{os.getpid()}@localhost",
            ERL_EPMD_ADDRESS="127.0.0.1",
            INSTALLUSER="",
            HOME=self.folder,
            ERL_MAX_PORTS="20000",
        )
        found = subprocess.run(
            "ls -d /usr/lib/*/ebin /usr/lib/*/ejabberd*/ebin /usr/share/erlang/lib/*/ebin 2>/dev/null",
            shell=True, capture_output=True, text=True,
        ).stdout.split()
        paths = [path for path in found if "erlang/lib/" not in path or "/share/" in path]
        self.process = subprocess.Popen(
            ["erl", "+K", "true", "+P", "250000", "+Q", "65536", "-noinput", "-sname", f"spark{os.getpid()}",
             "-pa", *paths, "-mnesia", "dir", f'"{self.folder}/spool"',
             "-ejabberd", "config", f'"{config}"', "-ejabberd", "log_path", f'"{self.folder}/logs/ejabberd.log"',
             "-s", "ejabberd"],
            env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder,
        )
        deadline = time.time() + 60
        while time.time() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                time.sleep(2)
                return
            except OSError:
                time.sleep(0.2)
        self.stop()
        sys.exit("ejabberd did not start")

    def stop(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def bench(spark_bench, *arguments):
    run = subprocess.run([spark_bench, "chat", "--json", *arguments], capture_output=True, text=True)
    if not run.stdout.strip():
        sys.exit(run.stderr)
    return json.loads(run.stdout)


def show(name, summary):
    print(
        f"{name}: {summary['connections']} connections in {summary['connect_seconds']:.2f} s, "
        f"{summary['bytes_per_socket']} bytes an idle one, {summary['server_bytes'] >> 20} MB"
    )
    for run, processors in zip(summary["runs"], summary["processors"]):
        delivery = run["delivery"]
        print(
            f"  {run['rate']:6}/s  delivered {run['delivered']} of {run['sent']}, lost {run['lost']}; send to received "
            f"p50 {delivery['p50_ms']:.2f}, p95 {delivery['p95_ms']:.2f}, p99 {delivery['p99_ms']:.2f}, "
            f"max {delivery['max_ms']:.1f} ms; {processors:.2f} processors"
        )


def main():
    spark_bench, arguments = sys.argv[1], sys.argv[2:]
    if "--rate" not in arguments:
        arguments += ["--rate", "2000,8000"]
    mine = bench(spark_bench, *arguments, "--storm")
    show("spark (durable)", mine)
    print(
        f"  killed: all back {mine['storm_seconds_from_ready']:.2f} s after the new server was ready; "
        f"stopped cleanly in {mine['stop_seconds']:.2f} s"
    )
    peer = Ejabberd()
    try:
        theirs = bench(spark_bench, *arguments, "--xmpp", f"127.0.0.1:{peer.port}/ws", "--pid", str(peer.process.pid))
    finally:
        peer.stop()
    show("ejabberd (stores nothing)", theirs)


if __name__ == "__main__":
    main()
