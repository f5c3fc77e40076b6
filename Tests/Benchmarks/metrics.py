#!/usr/bin/env python3
"""Spark's metrics, rules and dashboard before a real Prometheus.

Usage: metrics.py SPARK_BINARY [--seconds 60] [--people 2000]
Starts a server of its own with a demo town and a Prometheus that is configured by what `spark export` prints, sends requests, and
then holds: promtool finds no fault with the metrics, the rules and the configuration; the target is up; every expression of the
dashboard is understood, and those whose metrics the server shows have data; Prometheus and the server agree on which alerts
fire; a webhook that fails at first gets an alert. Exit code 1 otherwise. Needs Debian's package `prometheus`.
"""
import argparse, http.server, json, os, shutil, socket, subprocess, sys, tempfile, threading, time, urllib.error, urllib.parse, urllib.request

FAULTS = []
# An alert beside the built-in ones that fires as long as the server runs.
ALWAYS = """  - name: always
    rules:
      - alert: Always
        expr: vector(1) > 0
        annotations: {summary: 'It is {{ $value }}'}
"""


def hold(claim, what):
    print(f"{'ok  ' if claim else 'FAIL'} {what}")
    if not claim:
        FAULTS.append(what)


def request(url, body=None, token=None, method=None):
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if body is not None else None
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def person(url, number):
    """Registers, looks for somebody, likes and passes, writes to its matches."""
    status, answer = request(f"{url}/api/v1/auth/register", {
        "email": f"metrics{number}@example.org", "password": "correct horse battery", "name": f"M{number}",
        "birth_date": "1995-06-15", "gender": "woman" if number % 2 else "man",
        "interested_in": ["man" if number % 2 else "woman"]})
    if status != 201:
        return None
    account = json.loads(answer)
    token = account["access_token"]
    request(f"{url}/api/v1/me/location", {"latitude": 35.6762, "longitude": 139.6503}, token, "PUT")
    return token, account["user"]["id"]


def load(url, until, people):
    couple = people[:2]
    for (token, _), (_, other) in zip(couple, reversed(couple)):
        request(f"{url}/api/v1/swipes", {"target_id": other, "action": "like"}, token)
    conversations = json.loads(request(f"{url}/api/v1/matches", token=couple[0][0])[1]).get("items", [])
    turn = 0
    while time.time() < until:
        token, _ = people[turn % len(people)]
        decks = json.loads(request(f"{url}/api/v1/matches/suggestions?limit=5", token=token)[1]).get("items", [])
        for place, candidate in enumerate(decks[:2]):
            request(f"{url}/api/v1/swipes", {"target_id": candidate["id"], "action": "pass" if place else "like"}, token)
            request(f"{url}/api/v1/users/{candidate['id']}", token=token)
        for match in conversations[:1]:
            writer = couple[turn % 2][0]
            request(f"{url}/api/v1/conversations/{match['conversation_id']}/messages",
                    {"client_id": f"m{turn}", "text": "Shall we meet at the old bridge?"}, writer)
        request(f"{url}/api/v1/poll?offset=0", token=token)
        request(f"{url}/api/v1/nothing", token=token)
        turn += 1


class Receiver(http.server.BaseHTTPRequestHandler):
    """Accepts webhooks from the second one on."""
    bodies = []

    def do_POST(self):
        Receiver.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(503 if len(Receiver.bodies) == 1 else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def instant(prometheus, expression):
    path = f"{prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    status, body = request(path)
    answer = json.loads(body)
    return answer["data"]["result"] if status == 200 else None


def dashboard(spark, prometheus, exposition):
    """Every expression is valid; those about metrics that the server shows have data."""
    shown = {line.split("{")[0].split(" ")[0] for line in exposition.splitlines() if line and not line.startswith("#")}
    board = json.loads(subprocess.run([spark, "export", "grafana-dashboard"], check=True, capture_output=True).stdout)
    refused, empty, silent, total = [], [], [], 0
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            total += 1
            expression = target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")
            result = instant(prometheus, expression)
            if result is None:
                refused.append(expression)
            elif not result:
                names = {name for name in shown if f"{name}{{" in expression or f"{name}[" in expression}
                (empty if names else silent).append(panel["title"])
    hold(not refused, f"Prometheus understands all {total} expressions of the dashboard {refused}")
    hold(not empty, f"those of metrics that the server shows have data {sorted(set(empty))}")
    print(f"     not recorded in this run: {', '.join(sorted(set(silent))) or 'none'}")


def alerts(url, prometheus):
    """The server and Prometheus name the same alerts."""
    theirs = json.loads(request(f"{prometheus}/api/v1/rules?type=alert")[1])["data"]["groups"]
    rules = [rule for group in theirs for rule in group["rules"]]
    hold(all(rule["health"] == "ok" for rule in rules), f"Prometheus evaluates all {len(rules)} rules")
    status, body = request(f"{url}/_/alerts")
    if status != 200:
        return hold(False, f"/_/alerts answers {status}")
    ours = [rule for group in json.loads(body)["data"]["groups"] for rule in group["rules"]]
    hold(all(rule["health"] == "ok" for rule in ours), f"the server evaluates all {len(ours)} rules")
    active = lambda rules: {rule["name"] for rule in rules if rule["state"] == "firing"}
    hold(active(ours) == active(rules), f"the same alerts fire in both: {sorted(active(ours))} and {sorted(active(rules))}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("spark")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--people", type=int, default=2000)
    a = parser.parse_args()
    if not shutil.which("promtool") or not shutil.which("prometheus"):
        sys.exit("This needs Prometheus: apt-get install --no-install-recommends prometheus")
    spark, work, running = os.path.abspath(a.spark), tempfile.mkdtemp(prefix="spark-metrics-"), []
    try:
        subprocess.run([spark, "seed", "--people", str(a.people), "--data", f"{work}/data"], check=True, capture_output=True)
        export = lambda *words: subprocess.run([spark, "export", *words], check=True, capture_output=True, text=True).stdout
        with open(f"{work}/spark.rules.yaml", "w") as file:
            file.write(export("prometheus-rules") + ALWAYS)
        receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        server = subprocess.Popen(
            [spark, "serve", "--data", f"{work}/data", "--listen", "127.0.0.1:0",
             "--set", f"metrics.rules_file={work}/spark.rules.yaml",
             "--set", f"metrics.alert_webhook_url=http://127.0.0.1:{receiver.server_port}/hook"], stdout=subprocess.PIPE, text=True,
            stderr=subprocess.DEVNULL)
        running.append(server)
        ready = json.loads(server.stdout.readline())
        url, operators = ready["url"], ready["operator_url"]
        with open(f"{work}/prometheus.yaml", "w") as file:
            scrape = export("prometheus-scrape", "--target", operators.removeprefix("http://"))
            file.write(scrape.replace("scrape_interval: 15s", "scrape_interval: 5s"))
        for words in (["check", "config", "prometheus.yaml"], ["check", "rules", "spark.rules.yaml"]):
            hold(subprocess.run(["promtool", *words], cwd=work, capture_output=True).returncode == 0, "promtool " + " ".join(words))
        port = free_port()
        running.append(subprocess.Popen(
            ["prometheus", "--config.file=prometheus.yaml", f"--storage.tsdb.path={work}/tsdb",
             f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"], cwd=work, stderr=subprocess.DEVNULL))
        prometheus = f"http://127.0.0.1:{port}"
        people = [found for found in (person(url, number) for number in range(4)) if found]
        hold(len(people) == 4, "four people register")
        until = time.time() + a.seconds
        workers = [threading.Thread(target=load, args=(url, until, people[i:] + people[:i])) for i in (0, 2)]
        [worker.start() for worker in workers]
        [worker.join() for worker in workers]
        exposition = request(f"{operators}/metrics")[1].decode()
        check = subprocess.run(["promtool", "check", "metrics"], input=exposition, capture_output=True, text=True)
        hold(check.returncode == 0, f"promtool check metrics {check.stderr.strip()[:500]}")
        hold([r["value"][1] for r in instant(prometheus, "up") or []] == ["1"], "Prometheus reads the server")
        dashboard(spark, prometheus, exposition)
        alerts(operators, prometheus)
        told = [(body["status"], body["groupLabels"]["alertname"]) for body in Receiver.bodies]
        hold(told[:2] == [("firing", "Always")] * 2, f"the webhook gets the alert until it accepts it: {told}")
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait()
        shutil.rmtree(work, ignore_errors=True)
    sys.exit(1 if FAULTS else 0)


if __name__ == "__main__":
    main()
