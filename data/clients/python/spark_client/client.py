"""The client of the API: tokens, retries, connections."""

from __future__ import annotations

import http.client
import json
import random
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from .problem import SparkProblem, SparkUnreachable
from .routes import Routes

if TYPE_CHECKING:
    from .stream import Stream, StreamPosition

#: Routes whose answers hold the tokens of a session. They are called without a token.
_GRANTS = {"/api/v1/auth/register", "/api/v1/auth/login", "/api/v1/auth/refresh"}
_REFRESH = "/api/v1/auth/refresh"
_LOGOUT = "/api/v1/auth/logout"
#: A request with one of these answers had no effect.
_REFUSED = {429, 503}
#: Answers of a proxy that lost the server, after which only a repeatable request is repeated.
_LOST = {502, 504}


class Tokens(NamedTuple):
    """The tokens of a session, to be kept over restarts of the app."""

    access: str
    #: None if the session cannot be renewed.
    refresh: str | None
    user_id: str | None = None


class _Answer(NamedTuple):
    status: int
    retry_after: str | None
    body: bytes


class Spark(Routes):
    """One login at one server. Threads may share it.

    A call that finds its access token ended exchanges the refresh token, once for all threads that wait, and is repeated. A
    request is repeated when the server asks for it, or when the connection broke and the route honours idempotency keys.
    """

    def __init__(
        self,
        url: str,
        tokens: Tokens | None = None,
        *,
        timeout: float = 30.0,
        attempts: int = 4,
        longest_wait: float = 10.0,
        tls: ssl.SSLContext | None = None,
        on_tokens: Callable[[Tokens | None], None] | None = None,
    ) -> None:
        """
        url: ``http://host:port`` or ``https://host``.
        tokens: of an earlier session.
        timeout: the longest silence of a connection, in seconds.
        attempts: how often a request is sent at most.
        longest_wait: a longer Retry-After is not waited for; the call raises the problem.
        tls: what is trusted; the system's roots by default.
        on_tokens: gets the tokens whenever they change; None when the session has ended.
        """
        parts = urlsplit(url)
        self.url = url.rstrip("/")
        self.host = parts.hostname or "127.0.0.1"
        self.is_secure = parts.scheme == "https"
        self.port = parts.port or (443 if self.is_secure else 80)
        self.tls = tls or (ssl.create_default_context() if self.is_secure else None)
        self.timeout = timeout
        self._attempts = attempts
        self._longest_wait = longest_wait
        self._on_tokens = on_tokens
        self._tokens = tokens
        #: When the access token ends, on the monotonic clock; None if that is unknown.
        self.access_ends: float | None = None
        self._renewal = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []
        self._idle_lock = threading.Lock()

    def __enter__(self) -> Spark:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections. The session stays."""
        with self._idle_lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @property
    def tokens(self) -> Tokens | None:
        """The tokens of the session; None if there is none."""
        return self._tokens

    @property
    def user_id(self) -> str:
        """The id of the person who is signed in."""
        if self._tokens is None:
            raise LookupError("nobody is signed in")
        if self._tokens.user_id is None:
            self._tokens = self._tokens._replace(user_id=self.get_me()["id"])
        return str(self._tokens.user_id)

    def stream(self, position: StreamPosition | None = None, *, device: str | None = None) -> Stream:
        """The person's events, as they happen.

        position: where an earlier stream of this device ended; without it, only new events.
        device: a newer connection of the same device replaces the older one.
        """
        from .stream import Stream

        return Stream(self, position, device=device)

    # Requests

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
        idempotency_key: str | None = None,
        takes_key: bool = False,
    ) -> Any:
        """See `Caller`. Raises SparkProblem for what the server refuses, SparkUnreachable if there is no answer."""
        headers = {"Accept": "application/json"}
        key = idempotency_key or (secrets.token_hex(16) if takes_key else None)
        if key is not None:
            headers["Idempotency-Key"] = key
        target = path + _query(query)
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        used: str | None = None
        has_renewed = False
        while True:
            if path not in _GRANTS and self._tokens is not None:
                used = self._tokens.access
                headers["Authorization"] = f"Bearer {used}"
            answer = self._send(method, target, headers, data, is_repeatable=key is not None or method == "GET")
            if 200 <= answer.status < 300:
                break
            problem = SparkProblem.read(answer.status, answer.body, answer.retry_after)
            if problem.code != "auth.unauthenticated" or used is None or has_renewed or not self.renew(used):
                raise problem
            has_renewed = True
        value = json.loads(answer.body) if answer.body else None
        if path in _GRANTS and isinstance(value, dict):
            self._take(value)
        elif path == _LOGOUT:
            self._set(None)
        return value

    def renew(self, used: str) -> bool:
        """Exchanges the refresh token unless another thread did.

        used: the access token that has ended.
        Returns False if there is no session any more.
        """
        with self._renewal:
            tokens = self._tokens
            if tokens is None or tokens.access != used:
                return tokens is not None
            if tokens.refresh is None:
                return False
            try:
                # The key lets a repetition get the same tokens when the answer was lost on its way.
                self.call("POST", _REFRESH, body={"refresh_token": tokens.refresh}, takes_key=True)
            except SparkProblem as problem:
                if problem.status != 401:
                    raise
                self._set(None)
                return False
            return True

    def _take(self, grant: dict[str, Any]) -> None:
        known = self._tokens.user_id if self._tokens else None
        user = grant.get("user", {}).get("id", known)
        self.access_ends = time.monotonic() + grant["expires_in"]
        self._set(Tokens(grant["access_token"], grant["refresh_token"], user))

    def _set(self, tokens: Tokens | None) -> None:
        self._tokens = tokens
        if self._on_tokens is not None:
            self._on_tokens(tokens)

    def _send(
        self, method: str, target: str, headers: dict[str, str], body: bytes | None, *, is_repeatable: bool
    ) -> _Answer:
        failures = 0
        while True:
            try:
                answer = self._exchange(method, target, headers, body)
            except (OSError, http.client.HTTPException) as error:
                failures += 1
                if not is_repeatable or failures >= self._attempts:
                    raise SparkUnreachable(f"{method} {target.partition('?')[0]}: {error}") from error
                time.sleep(_pause(failures))
                continue
            if answer.status not in _REFUSED and not (is_repeatable and answer.status in _LOST):
                return answer
            failures += 1
            wait = SparkProblem.read(answer.status, answer.body, answer.retry_after).retry_after or _pause(failures)
            if failures >= self._attempts or wait > self._longest_wait:
                return answer
            time.sleep(wait)

    def _exchange(self, method: str, target: str, headers: dict[str, str], body: bytes | None) -> _Answer:
        connection, is_new = self._connection()
        try:
            try:
                connection.request(method, target, body, headers)
                response = connection.getresponse()
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # The server had closed the idle connection before it read the request.
                if is_new or method != "GET" and "Idempotency-Key" not in headers:
                    raise
                connection.close()
                connection = self._open()
                connection.request(method, target, body, headers)
                response = connection.getresponse()
            data = response.read()
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            with self._idle_lock:
                self._idle.append(connection)
        return _Answer(response.status, response.headers.get("Retry-After"), data)

    def _connection(self) -> tuple[http.client.HTTPConnection, bool]:
        with self._idle_lock:
            if self._idle:
                return self._idle.pop(), False
        return self._open(), True

    def _open(self) -> http.client.HTTPConnection:
        if self.is_secure:
            return http.client.HTTPSConnection(self.host, self.port, timeout=self.timeout, context=self.tls)
        return http.client.HTTPConnection(self.host, self.port, timeout=self.timeout)


def _query(parameters: Mapping[str, object] | None) -> str:
    given = {name: value for name, value in (parameters or {}).items() if value is not None}
    if not given:
        return ""
    return "?" + urlencode({name: _text(value) for name, value in given.items()}, safe=",")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(str(part) for part in value) if isinstance(value, (list, tuple)) else str(value)


def _pause(failures: int) -> float:
    """Seconds before the next attempt: doubled each time, at random so that clients do not come back together."""
    return random.uniform(0.5, 1.0) * min(8.0, 0.1 * 2.0**failures)
