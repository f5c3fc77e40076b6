#!/usr/bin/env python3
"""Logins of honest people beside a flood of password hashes from 35 networks.

usage: login_flood.py BINARY [seconds]

Starts a server on a data directory of its own, registers people, then lets 35 loopback addresses try wrong passwords at accounts of
their own, four at once each, at the lowest priority. Meanwhile a person signs in with the right password, from a network that the
server has never seen, and another from one that it knows. Prints how long that took; exits with 1 when a login was refused or took
longer than the longest wait of five seconds and a derivation of two.
"""
import http.client
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

NETWORKS = 35
AT_ONCE = 4
BOUND = 7.0


def post(host, port, path, body, source=None, timeout=60):
    connection = http.client.HTTPConnection(host, port, timeout=timeout, source_address=(source, 0) if source else None)
    try:
        connection.request("POST", "/api/v1" + path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.getheader("Retry-After")
    finally:
        connection.close()


def flood(host, port, stop, counts):
    os.nice(19)

    def work(address, number):
        while not stop.is_set():
            try:
                status, _, _ = post(host, port, "/auth/login", {
                    "email": f"victim{number}@example.org", "password": "wrong horse battery"}, address)
            except OSError:
                status = 0
            with counts.get_lock():
                counts[0 if status == 401 else 1 if status == 429 else 2] += 1
            if status in (429, 503):
                time.sleep(.2)

    threads = [threading.Thread(target=work, args=(f"127.0.1.{network + 1}", network * AT_ONCE + number), daemon=True)
               for network in range(NETWORKS) for number in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def percentile(times, share):
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main():
    binary, seconds = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 60
    folder = tempfile.mkdtemp(prefix="spark-flood-")
    server = subprocess.Popen(
        [binary, "serve", "--data", folder + "/data", "--listen", "127.0.0.1:0", "--json"], cwd=folder, stdout=subprocess.PIPE)
    url = json.loads(server.stdout.readline())["url"]
    host, port = url.split("//")[1].split(":")
    port = int(port)
    stop, counts = multiprocessing.Event(), multiprocessing.Array("i", 3)
    crowd = multiprocessing.Process(target=flood, args=(host, port, stop, counts))
    failed = False
    try:
        for name in ("new", "known"):
            status, body, _ = post(host, port, "/auth/register", {
                "email": f"{name}@example.org", "password": "correct horse battery", "name": "Ada", "birth_date": "1995-06-15",
                "gender": "woman", "interested_in": ["man"]}, "127.0.0.1")
            assert status == 201, body
        crowd.start()
        begin, results = time.time(), {"new": [], "known": []}
        refused = {"new": 0, "known": 0}
        number = 0
        # From the first moment of the flood on.
        while time.time() - begin < seconds:
            for name in ("new", "known"):
                number += 1
                source = f"127.0.{2 + number // 250}.{1 + number % 250}" if name == "new" else "127.0.0.1"
                start = time.time()
                status, _, wait = post(host, port, "/auth/login", {
                    "email": f"{name}@example.org", "password": "correct horse battery"}, source)
                results[name].append(time.time() - start)
                if status != 200:
                    refused[name] += 1
                    print(f"{name} at {start - begin:.1f} s: {status}, Retry-After {wait}")
            time.sleep(.3)
        for name, times in results.items():
            print(f"{name} network: {len(times)} logins, {refused[name]} refused, p50 {percentile(times, .5):.2f} s, "
                  f"p95 {percentile(times, .95):.2f} s, max {max(times):.2f} s")
            failed = failed or refused[name] > 0 or max(times) > BOUND
        print(f"flood: {counts[0]} checked, {counts[1]} told to wait, {counts[2]} else")
    finally:
        stop.set()
        if crowd.pid:
            crowd.join(10)
            crowd.kill()
        server.send_signal(signal.SIGTERM)
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


sys.exit(main())
