"""What the client does when a server is busy, a token ends, or a connection breaks; against a server with written answers."""

from __future__ import annotations

import json
import threading
import unittest
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from spark_client import Spark, SparkProblem, SparkUnreachable
from spark_client.client import Tokens

Answer = tuple[int, dict[str, Any] | None, dict[str, str]] | None


class Written(ThreadingHTTPServer):
    """Answers requests by a function, and keeps what it got."""

    def __init__(self, answer: Callable[[str, str, dict[str, str]], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def end(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do(self) -> None:
        server = self.server
        assert isinstance(server, Written)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = (self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
        with server.lock:
            server.seen.append(request)
        answer = server.answer(*request)
        if answer is None:
            self.close_connection = True
            return
        status, body, headers = answer
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = do

    def log_message(self, *_: object) -> None:
        pass


def problem(status: int, code: str, **headers: str) -> Answer:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"code": code, "temporary": status in (429, 503), "status": status, "detail": ""}, fields


class ClientTest(unittest.TestCase):
    def serve(self, answer: Callable[[str, str, dict[str, str]], Answer]) -> Written:
        server = Written(answer)
        self.addCleanup(server.end)
        return server

    def client(self, server: Written, **options: Any) -> Spark:
        client = Spark(server.url, Tokens("old", "refresh"), **options)
        self.addCleanup(client.close)
        return client

    def test_threads_that_find_the_token_ended_share_one_refresh(self) -> None:
        def answer(method: str, path: str, headers: dict[str, str]) -> Answer:
            if path == "/api/v1/auth/refresh":
                self.assertNotIn("authorization", headers)
                return 200, {"access_token": "new", "refresh_token": "next", "expires_in": 900}, {}
            if headers.get("authorization") == "Bearer new":
                return 200, {"unread_total": 3}, {}
            waiting.wait(10)
            return problem(401, "auth.unauthenticated")

        waiting = threading.Barrier(8)
        server = self.serve(answer)
        told: list[Tokens | None] = []
        client = self.client(server, on_tokens=told.append)
        totals: list[int] = []
        threads = [threading.Thread(target=lambda: totals.append(client.get_unread()["unread_total"])) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(totals, [3] * 8)
        self.assertEqual([path for _, path, _ in server.seen].count("/api/v1/auth/refresh"), 1)
        self.assertEqual(told, [Tokens("new", "next")])

    def test_a_refused_refresh_ends_the_session(self) -> None:
        server = self.serve(
            lambda method, path, headers: problem(
                401, "accounts.refresh_refused" if path.endswith("refresh") else "auth.unauthenticated"
            )
        )
        client = self.client(server)
        with self.assertRaises(SparkProblem) as caught:
            client.get_unread()
        self.assertEqual(caught.exception.code, "auth.unauthenticated")
        self.assertIsNone(client.tokens)

    def test_a_wrong_password_does_not_use_up_the_refresh_token(self) -> None:
        server = self.serve(lambda method, path, headers: problem(401, "accounts.credentials_refused"))
        client = self.client(server)
        with self.assertRaises(SparkProblem):
            client.post_auth_confirm({"password": "wrong"})
        self.assertEqual(len(server.seen), 1)

    def test_a_busy_server_is_asked_again_with_the_same_key(self) -> None:
        answers: list[Answer] = [problem(503, "request.overloaded", Retry_After="0"), None, (200, {"match": None}, {})]
        server = self.serve(lambda method, path, headers: answers.pop(0))
        answer = self.client(server).post_swipes({"target_id": "usr_0", "action": "like"})
        self.assertIsNone(answer["match"])
        self.assertEqual(len(server.seen), 3)
        self.assertEqual(len({headers["idempotency-key"] for _, _, headers in server.seen}), 1)

    def test_a_long_wait_is_the_callers(self) -> None:
        server = self.serve(lambda method, path, headers: problem(429, "matching.daily_limit", Retry_After="3600"))
        with self.assertRaises(SparkProblem) as caught:
            self.client(server).post_swipes({"target_id": "usr_0", "action": "like"})
        self.assertEqual((caught.exception.retry_after, len(server.seen)), (3600.0, 1))

    def test_a_request_without_a_key_is_sent_once(self) -> None:
        server = self.serve(lambda method, path, headers: None)
        with self.assertRaises(SparkUnreachable):
            self.client(server).post_ws_ticket()
        self.assertEqual(len(server.seen), 1)

    def test_lists_are_read_page_by_page(self) -> None:
        def answer(method: str, path: str, headers: dict[str, str]) -> Answer:
            if "cursor=a%2Fb" in path:
                return 200, {"items": [{"user_id": "usr_2"}], "next_cursor": None}, {}
            return 200, {"items": [{"user_id": "usr_0"}, {"user_id": "usr_1"}], "next_cursor": "a/b"}, {}

        server = self.serve(answer)
        blocks = list(self.client(server).each_blocks(limit=2))
        self.assertEqual([block["user_id"] for block in blocks], ["usr_0", "usr_1", "usr_2"])
        self.assertEqual(
            [path for _, path, _ in server.seen], ["/api/v1/blocks?limit=2", "/api/v1/blocks?limit=2&cursor=a%2Fb"]
        )
