"""A Spark server for tests: started from the binary, or the one that ``spark exec`` started."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener
from urllib.error import HTTPError

from . import models as m
from .client import Spark, Tokens
from .problem import SparkProblem

#: The longest time that a server may take to start, in seconds.
_LONGEST_START = 60.0
#: The server is on this machine, whatever proxy the environment names.
_DIRECT = build_opener(ProxyHandler({}))


def find_binary() -> str:
    """The path of the binary: SPARK_BINARY, else ``spark`` on the PATH."""
    path = os.environ.get("SPARK_BINARY") or shutil.which("spark")
    if path is None:
        raise FileNotFoundError("there is no spark on the PATH; set SPARK_BINARY to the path of the binary")
    return path


class SparkServer:
    """A server that keeps nothing, with what a test needs: a clock, snapshots, an outbox, faults.

    Its methods are the routes below ``/__test__``. All raise SparkProblem.
    """

    def __init__(
        self, url: str, admin_token: str, process: subprocess.Popen[bytes] | None = None, log: str = "", *, clone: int | None = None
    ) -> None:
        self.url = url
        self.admin_token = admin_token
        self._process = process
        self._clone = clone
        self._log = log

    @classmethod
    def start(cls, scenario: str | None = None, *, binary: str | None = None, arguments: Sequence[str] = ()) -> SparkServer:
        """Starts the binary, and returns when the server answers.

        scenario: the name or the file of a scenario; nobody is there without one.
        arguments: more for ``spark serve``, such as ``--set``.
        """
        chosen = ["--scenario", scenario] if scenario is not None else []
        descriptor, log = tempfile.mkstemp(prefix="spark-log-")
        try:
            process = subprocess.Popen(
                [binary or find_binary(), "serve", "--ephemeral", "--listen", "127.0.0.1:0", "--exit-with-parent", *chosen]
                + list(arguments),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=descriptor,
                env={name: value for name, value in os.environ.items() if not name.startswith("SPARK_")},
            )
        except BaseException:
            os.unlink(log)
            raise
        finally:
            os.close(descriptor)
        assert process.stdout is not None
        deadline = threading.Timer(_LONGEST_START, process.kill)
        deadline.start()
        line = process.stdout.readline()
        deadline.cancel()
        if not line:
            code, text = process.wait(), Path(log).read_text(errors="replace")
            process.stdout.close()
            os.unlink(log)
            raise RuntimeError(f"spark serve ended with {code}:\n{text}")
        ready = json.loads(line)
        return cls(ready["url"], ready["admin_token"], process, log)

    @classmethod
    def running(cls) -> SparkServer | None:
        """The server that ``spark exec`` started for this program; None if there is none."""
        url, token = os.environ.get("SPARK_URL"), os.environ.get("SPARK_ADMIN_TOKEN")
        return cls(url, token) if url and token else None

    def __enter__(self) -> SparkServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the server or the clone, unless somebody else started it."""
        process, self._process = self._process, None
        clone, self._clone = self._clone, None
        if clone is not None:
            # A child of the server that it was made from, which may have ended it.
            with contextlib.suppress(ProcessLookupError):
                os.kill(clone, signal.SIGTERM)
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        Path(self._log).unlink(missing_ok=True)

    @property
    def log(self) -> str:
        """What the server has logged; empty for a server that somebody else started."""
        path = Path(self._log) if self._log else None
        return path.read_text(errors="replace") if path is not None and path.exists() else ""

    # People

    def client(self, tokens: Tokens | None = None) -> Spark:
        """A client of this server."""
        return Spark(self.url, tokens)

    def add(self, **parts: Any) -> Spark:
        """Makes an account, and returns a client that is signed in.

        parts: any part of a registration, ``location``, ``preferences``, ``name_in_test`` for `person`; the server chooses the
        rest.
        """
        return self._signed_in(self.test("POST", "users", parts))

    def person(self, name: str) -> Spark:
        """A client that is signed in as a person of the scenario: ``ada``."""
        return self._signed_in(self.test("GET", f"users/{name}"))

    def _signed_in(self, answer: dict[str, Any]) -> Spark:
        user = answer.get("user", {}).get("id") or answer.get("id")
        # An account that is closed or suspended has no tokens.
        token = answer.get("access_token")
        return self.client(Tokens(token, answer.get("refresh_token"), user) if token is not None else None)

    # State

    def snapshot(self) -> str:
        """Keeps the state of the server. Returns the snapshot's name."""
        return str(self.test("POST", "snapshot")["snapshot"])

    def restore(self, snapshot: str) -> None:
        """Puts a kept state back."""
        self.test("POST", "restore", {"snapshot": snapshot})

    def reset(self) -> None:
        """Puts the scenario back."""
        self.test("POST", "reset")

    def clone(self) -> SparkServer:
        """A second server with this state, which ends with this one. Its clients' tokens work there too."""
        answer = self.test("POST", "clone")
        return SparkServer(answer["url"], answer["admin_token"], clone=answer["pid"])

    # Time and chance

    def advance(self, seconds: float) -> str:
        """Moves the clock, and does what is due on the way. Returns the new time."""
        return str(self.test("POST", "clock", {"advance_seconds": seconds})["now"])

    def set_clock(self, time: str) -> str:
        """Sets the clock to a time as in RFC 3339. Returns it."""
        return str(self.test("POST", "clock", {"set": time})["now"])

    def freeze(self, frozen: bool = True) -> str:
        """Stops the clock, or lets it go on. Returns the time."""
        return str(self.test("POST", "clock", {"frozen": frozen})["now"])

    def seed(self, number: int) -> None:
        """Makes random numbers, and with them ids, the same in each run."""
        self.test("POST", "chance", {"seed": number})

    # What happened

    def outbox(
        self, kind: str | None = None, to: str | None = None, count: int = 1, wait: float = 2.0
    ) -> list[dict[str, Any]]:
        """What was sent to devices and others: ``push``, ``webhook``. Waits until there are `count`, at most `wait` seconds."""
        query = {"kind": kind, "to": to, "count": count, "wait_ms": int(wait * 1_000)}
        return list(self.test("GET", "outbox", query=query)["items"])

    def events(
        self,
        since: int | None = None,
        *,
        event: str | None = None,
        user: str | None = None,
        count: int = 1,
        wait: float = 0.0,
    ) -> tuple[int, list[dict[str, Any]]]:
        """A mark, and everything that happened since an earlier one, in order. Waits for `count` items, at most `wait` seconds.

        event: only events of this name, such as ``matching.match_created``.
        user: only what is about this person, by id or by the name in the scenario.
        """
        query = {"since": since, "event": event, "user": user, "count": count, "wait_ms": int(wait * 1_000)}
        answer = self.test("GET", "events", query=query)
        return int(answer["mark"]), list(answer["items"])

    # Faults

    def fault(self, name: str, times: int = 1, **match: Any) -> None:
        """Lets something fail: ``push.fail``, ``push.throttle``, ``writer.slow``, ``disk.full``, ``stream.drop``, ``http.delay``."""
        self.test("POST", "faults", {"name": name, "times": times, "match": match})

    def clear_faults(self) -> None:
        """Nothing fails any more."""
        self.test("DELETE", "faults")

    def test(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, query: dict[str, Any] | None = None
    ) -> Any:
        """A request below ``/__test__``."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        target = f"{self.url}/__test__/{path}" + (f"?{urlencode(given)}" if given else "")
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Authorization": f"Bearer {self.admin_token}"}
        if data is not None:
            headers["Content-Type"] = "application/json"
        try:
            with _DIRECT.open(Request(target, data, headers, method=method), timeout=120) as response:
                text = response.read()
        except HTTPError as error:
            with error:
                raise SparkProblem.read(error.code, error.read(), error.headers.get("Retry-After")) from None
        return json.loads(text) if text else None
