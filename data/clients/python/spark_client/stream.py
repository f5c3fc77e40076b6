"""The stream: numbered events exactly once and in order, and messages that are sent until the server has them."""

from __future__ import annotations

import json
import queue
import random
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from . import models as m
from .problem import SparkProblem, SparkUnreachable
from .rfc6455 import Closed, Refused, WebSocket

if TYPE_CHECKING:
    from .client import Spark

#: Frames that the stream itself needs. All others are the reader's.
_OWN = {"welcome", "pong", "ack", "nack", "auth", "bye"}
#: How many frames wait for the reader at most. Then the connection is not read until there is room.
_MOST_WAITING = 10_000
#: After a close code from here on, a client must not come back.
_FIRST_FINAL_CODE = 4500
_TOKEN_ENDED = 4001
#: How long before its end an access token is renewed, in seconds.
_AHEAD = 60.0


@dataclass(frozen=True)
class StreamPosition:
    """The last event that a device has. Keep it, and give it to the next stream."""

    epoch: str
    offset: int


class StreamEnded(Exception):
    """The stream is over and will not come back: it was closed, the session has ended, or the server refuses it."""


class MessageRefused(Exception):
    """The server will not store a message."""

    def __init__(self, frame: m.ServerNackFrame) -> None:
        super().__init__(f"the message was refused: {frame['code']}")
        #: Stable: ``chat.gone``.
        self.code = frame["code"]


class Sending:
    """A message on its way. It stays in the outbox until the server has answered."""

    def __init__(self, frame: m.ClientMessageSendFrame) -> None:
        self.frame = frame
        self._answer: m.ServerAckFrame | m.ServerNackFrame | None = None
        self._is_over = threading.Event()

    @property
    def client_id(self) -> str:
        return self.frame["client_id"]

    def wait(self, timeout: float | None = None) -> m.ServerAckFrame:
        """Waits until the message is stored. Raises MessageRefused, StreamEnded or TimeoutError."""
        if not self._is_over.wait(timeout):
            raise TimeoutError(f"no answer to the message within {timeout} s")
        if self._answer is None:
            raise StreamEnded("the stream ended before the message was sent")
        if self._answer["type"] == "nack":
            raise MessageRefused(self._answer)
        return self._answer

    def _finish(self, answer: m.ServerAckFrame | m.ServerNackFrame | None) -> None:
        self._answer = answer
        self._is_over.set()


class Stream:
    """A person's events, and a way to send. Connects at once, and again whenever the connection ends; `close` ends it.

    Iterating raises StreamEnded when the session has ended, and gives the server's frames in order: each numbered event once, `live` when everything missed was read, `resync`
    when events are missing and the app must read again what it shows, and the signals (`typing`, `presence`, `unread`,
    `history`, `error`), which are lost while there is no connection.
    """

    def __init__(
        self, client: Spark, position: StreamPosition | None = None, *, device: str | None = None
    ) -> None:
        self._client = client
        self._device = device
        #: What was received, which is ahead of what the reader has taken.
        self._received = position
        self._taken = position
        self._frames: queue.Queue[tuple[m.ServerFrame | None, StreamPosition | None]] = queue.Queue(_MOST_WAITING)
        self._outbox: dict[str, Sending] = {}
        # Guards the outbox and the socket, so that messages leave in the order of the outbox.
        self._lock = threading.Lock()
        self._socket: WebSocket | None = None
        #: Whether the connection is past `live`, so that messages may be sent.
        self._is_live = False
        self._resend_at: float | None = None
        #: How many connections in a row did not work.
        self._failures = 0
        #: Where the present of this connection is.
        self._present = position
        self._after_bye: float | None = None
        self._closing = threading.Event()
        self._end: StreamEnded | None = None
        self._thread = threading.Thread(target=self._run, name="spark-stream", daemon=True)
        self._thread.start()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def position(self) -> StreamPosition | None:
        """The last event that the reader has taken; None before the first connection."""
        return self._taken

    @property
    def outbox(self) -> list[m.ClientMessageSendFrame]:
        """The messages that the server has not answered, oldest first. Keep them to send them after a restart."""
        with self._lock:
            return [sending.frame for sending in self._outbox.values()]

    def close(self) -> None:
        """Ends the stream. Messages in the outbox are not sent any more."""
        self._closing.set()
        with self._lock:
            socket = self._socket
        if socket is not None:
            socket.close()
        if self._thread.is_alive():
            # Longer only where a connection is being opened, which then ends by itself.
            self._thread.join(5)

    def cut(self) -> None:
        """Breaks the connection, as a network does; the stream connects again. For tests."""
        with self._lock:
            if self._socket is not None:
                self._socket.abort()

    # Reading

    def __iter__(self) -> Iterator[m.ServerFrame]:
        while True:
            try:
                yield self.next()
            except StreamEnded:
                if not self._closing.is_set():
                    raise
                return

    def next(self, timeout: float | None = None) -> m.ServerFrame:
        """The next frame. Raises TimeoutError, or StreamEnded after the last one."""
        if self._end is not None and self._frames.empty():
            raise self._end
        try:
            frame, position = self._frames.get(timeout=timeout)
        except queue.Empty:
            raise TimeoutError(f"no frame within {timeout} s") from None
        self._taken = position or self._taken
        if frame is None:
            raise self._end or StreamEnded("the stream was closed")
        return frame

    def wait_for(self, kind: str, timeout: float) -> m.ServerFrame:
        """The next frame of a type; skips others. Raises TimeoutError or StreamEnded."""
        deadline = time.monotonic() + timeout
        while True:
            frame = self.next(max(0.0, deadline - time.monotonic()))
            if frame["type"] == kind:
                return frame

    # Sending

    def send_message(
        self, conversation: str, text: str, *, kind: m.MessageContent = "text", client_id: str | None = None
    ) -> Sending:
        """Puts a message into the outbox and sends it as soon as there is a connection. Returns at once.

        client_id: of a message that was in the outbox of an earlier stream.
        """
        frame: m.ClientMessageSendFrame = {
            "type": "message.send",
            "client_id": client_id or secrets.token_hex(12),
            "conversation": conversation,
            "kind": kind,
            "text": text,
        }
        sending = Sending(frame)
        with self._lock:
            if self._end is not None or self._closing.is_set():
                raise self._end or StreamEnded("the stream was closed")
            self._outbox[sending.client_id] = sending
            if self._is_live and self._resend_at is None:
                self._write(frame)
        return sending

    def send(self, frame: m.ClientFrame) -> bool:
        """Sends another frame, such as `typing`. Returns False, and sends nothing, while there is no connection."""
        with self._lock:
            return self._is_live and self._write(frame)

    def _write(self, frame: m.ClientFrame) -> bool:
        """Needs the lock."""
        if self._socket is None:
            return False
        try:
            self._socket.send(json.dumps(frame, ensure_ascii=False))
        except Closed:
            return False
        return True

    # The connection

    def _run(self) -> None:
        while not self._closing.is_set():
            began = time.monotonic()
            self._failures = min(self._failures + 1, 10)
            pause: float | None = None
            try:
                pause = self._connect()
            except StreamEnded as end:
                self._end = end
                break
            except (OSError, Closed, SparkUnreachable):
                pass
            except SparkProblem as problem:
                pause = problem.retry_after
            if time.monotonic() - began > 5:
                self._failures = 0
            if pause is None:
                pause = random.uniform(0.5, 1.0) * min(30.0, 0.05 * 2.0**self._failures)
            self._closing.wait(pause)
        self._end = self._end or StreamEnded("the stream was closed")
        with self._lock:
            left, self._outbox = self._outbox, {}
        for sending in left.values():
            sending._finish(None)
        self._put(None)

    def _connect(self) -> float | None:
        """One connection, to its end. Returns how long to wait before the next; None to let the stream decide."""
        tokens = self._client.tokens
        if tokens is None:
            raise StreamEnded("nobody is signed in")
        client = self._client
        try:
            socket = WebSocket.connect(
                client.host,
                client.port,
                "/api/v1/ws",
                {"Authorization": f"Bearer {tokens.access}"},
                subprotocol="spark.v1",
                timeout=client.timeout,
                tls=client.tls,
            )
        except Refused as refusal:
            return self._refused(refusal, tokens.access)
        with self._lock:
            self._socket = socket
        try:
            return self._read(socket)
        except Closed as closed:
            if closed.code is not None and closed.code >= _FIRST_FINAL_CODE:
                raise StreamEnded(str(closed)) from closed
            if closed.code == _TOKEN_ENDED:
                return self._renewed(tokens.access)
            if closed.code is None and self._is_live:
                # The network broke what had worked.
                self._failures = 0
            return self._after_bye
        finally:
            with self._lock:
                self._socket = None
                self._is_live = False
            socket.release()

    def _refused(self, refusal: Refused, token: str) -> float | None:
        if refusal.status == 401:
            return self._renewed(token)
        if refusal.status in (429, 503):
            wait = refusal.headers.get("retry-after", "")
            return float(wait) if wait.isdigit() else None
        if refusal.status >= 500:
            return None
        raise StreamEnded(str(refusal)) from refusal

    def _renewed(self, token: str) -> float:
        if not self._client.renew(token):
            raise StreamEnded("the session has ended")
        return 0.0

    def _read(self, socket: WebSocket) -> float | None:
        hello: m.ClientHelloFrame = {"type": "hello", "v": 1}
        if self._received is not None:
            hello["epoch"], hello["offset"] = self._received.epoch, self._received.offset
        if self._device is not None:
            hello["device"] = self._device
        socket.send(json.dumps(hello))
        self._after_bye = None
        heartbeat = 10.0
        said = heard = time.monotonic()
        while True:
            text = socket.receive(self._patience(said + heartbeat))
            now = time.monotonic()
            self._resend_if_due(now)
            self._renew_if_due(now)
            if now - said >= heartbeat:
                # The server expects a sign of life, and its answer is one.
                socket.send('{"type":"ping"}')
                said = now
            if text is None:
                if now - heard > 3 * heartbeat:
                    socket.abort()
                    raise Closed(None, "the server is silent")
                continue
            heard = now
            frame = json.loads(text)
            for one in frame["frames"] if frame["type"] == "batch" else [frame]:
                if one["type"] == "welcome":
                    heartbeat = float(one["heartbeat_seconds"])
                if not self._took(one):
                    # A gap: the server sends everything after the last event again.
                    socket.close()
                    return 0.0

    def _patience(self, next_ping: float) -> float:
        """How long to wait for a frame until something else is due."""
        now = time.monotonic()
        due = [next_ping]
        if self._resend_at is not None:
            due.append(self._resend_at)
        if self._client.access_ends is not None:
            due.append(max(now + 1.0, self._client.access_ends - _AHEAD))
        return max(0.0, min(due) - now)

    def _took(self, frame: dict[str, Any]) -> bool:
        """Takes a frame; False if events before it are missing."""
        kind = frame["type"]
        if kind == "welcome":
            self._welcomed(frame["epoch"], frame["offset"])
        elif kind == "resync":
            # Go on from the present, of which `welcome` told.
            self._received = self._present
        elif kind == "ack" or kind == "nack":
            self._answered(cast("m.ServerAckFrame | m.ServerNackFrame", frame))
        elif kind == "bye":
            self._after_bye = float(frame["after_seconds"])
        elif kind == "live":
            with self._lock:
                self._is_live = True
                self._resend()
        elif "offset" in frame and self._received is not None:
            last = self._received.offset
            if frame["offset"] <= last:
                return True
            if frame["offset"] > last + 1:
                return False
            self._received = StreamPosition(self._received.epoch, frame["offset"])
        if kind not in _OWN:
            self._put(cast("m.ServerFrame", frame))
        return True

    def _welcomed(self, epoch: str, head: int) -> None:
        self._present = StreamPosition(epoch, head)
        if self._received is None:
            self._received = self._taken = self._present

    def _put(self, frame: m.ServerFrame | None) -> None:
        while True:
            try:
                self._frames.put((frame, self._received), timeout=0.2)
                return
            except queue.Full:
                if self._closing.is_set():
                    return

    # The outbox

    def _answered(self, frame: m.ServerAckFrame | m.ServerNackFrame) -> None:
        with self._lock:
            if frame["type"] == "nack" and frame["temporary"]:
                # The answers to later messages may say the same; all that is left is sent again, oldest first.
                self._resend_at = self._resend_at or time.monotonic() + frame.get("retry_after", 1)
                return
            sending = self._outbox.pop(frame["client_id"], None)
        if sending is not None:
            sending._finish(frame)

    def _resend_if_due(self, now: float) -> None:
        with self._lock:
            if self._resend_at is not None and now >= self._resend_at and self._is_live:
                self._resend()

    def _resend(self) -> None:
        """Needs the lock."""
        self._resend_at = None
        for sending in self._outbox.values():
            if not self._write(sending.frame):
                return

    def _renew_if_due(self, now: float) -> None:
        """Gives the connection a new token before the old one ends."""
        tokens, ends = self._client.tokens, self._client.access_ends
        if tokens is None or ends is None or now < ends - _AHEAD or not self._is_live:
            return
        if self._client.renew(tokens.access) and self._client.tokens is not None:
            self.send({"type": "auth", "token": self._client.tokens.access})
