"""What the stream does with what a sound server never sends, and with each way a connection can end; against written frames."""

from __future__ import annotations

import base64
import hashlib
import json
import queue
import socket
import struct
import threading
import unittest
from typing import Any, cast

from spark_client import MessageRefused, Spark, StreamEnded, StreamPosition, models as m
from spark_client.client import Tokens

WAIT = 20.0


class Peer:
    """One connection of the stream, as a server sees it."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        connection.settimeout(WAIT)
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4_096)
        self.fields = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in head.decode().split("\r\n"))
        }

    def open(self) -> dict[str, Any]:
        """Accepts the WebSocket, and returns `hello`."""
        key = self.fields["sec-websocket-key"].encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key).digest()).decode()
        lines = [
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Accept: {accept}",
            "Sec-WebSocket-Protocol: spark.v1",
        ]
        self.connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return self.read()

    def refuse(self, status: int) -> None:
        self.connection.sendall(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())
        self.connection.close()

    def begin(self, offset: int, epoch: str = "e") -> dict[str, Any]:
        """The same as `open`, and tells where the present is."""
        hello = self.open()
        self.send(type="welcome", epoch=epoch, offset=offset, heartbeat_seconds=25)
        return hello

    def send(self, **frame: Any) -> None:
        data = json.dumps(frame).encode()
        assert len(data) < 126
        self.connection.sendall(bytes([0x81, len(data)]) + data)

    def message(self, offset: int) -> None:
        self.send(type="message", offset=offset, conversation="cnv_0", seq=offset, text=str(offset))

    def close(self, code: int) -> None:
        self.connection.sendall(b"\x88\x02" + struct.pack("!H", code))
        self.connection.close()

    def read(self) -> dict[str, Any]:
        head = self.exactly(2)
        length = head[1] & 0x7F
        if length == 126:
            length = struct.unpack("!H", self.exactly(2))[0]
        mask = self.exactly(4)
        data = bytes(byte ^ mask[place % 4] for place, byte in enumerate(self.exactly(length)))
        frame: dict[str, Any] = json.loads(data) if head[0] == 0x81 else {"type": "control"}
        return frame

    def exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            chunk = self.connection.recv(count - len(data))
            if not chunk:
                raise ConnectionError("the client went away")
            data += chunk
        return data


class StreamTest(unittest.TestCase):
    def setUp(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        self.peers: queue.Queue[Peer] = queue.Queue()

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                peer = Peer(connection)
                self.addCleanup(connection.close)
                self.peers.put(peer)

        threading.Thread(target=accept, daemon=True).start()
        self.client = Spark(f"http://127.0.0.1:{listener.getsockname()[1]}", Tokens("old", "refresh", "usr_0"))

    def peer(self) -> Peer:
        return self.peers.get(timeout=WAIT)

    @staticmethod
    def offset(frame: m.ServerFrame) -> int:
        return cast(m.ServerMessageFrame, frame)["offset"]

    def test_an_old_event_is_dropped_and_a_missing_one_is_asked_for(self) -> None:
        with self.client.stream(StreamPosition("e", 3)) as stream:
            peer = self.peer()
            self.assertEqual(peer.begin(4), {"type": "hello", "v": 1, "epoch": "e", "offset": 3})
            for offset in (3, 4, 4, 6):
                peer.message(offset)
            self.assertEqual(self.offset(stream.next(WAIT)), 4)
            peer = self.peer()
            self.assertEqual(peer.begin(6)["offset"], 4)
            for offset in (5, 6):
                peer.message(offset)
            self.assertEqual([self.offset(stream.next(WAIT)) for _ in range(2)], [5, 6])
            self.assertEqual(stream.position, StreamPosition("e", 6))

    def test_after_a_resync_it_goes_on_from_the_present_in_the_new_epoch(self) -> None:
        with self.client.stream(StreamPosition("e", 300)) as stream:
            peer = self.peer()
            peer.begin(7, epoch="f")
            peer.send(type="resync", reason="epoch")
            peer.message(8)
            self.assertEqual(stream.next(WAIT)["type"], "resync")
            self.assertEqual(stream.position, StreamPosition("f", 7))
            self.assertEqual(self.offset(stream.next(WAIT)), 8)
            peer.close(1012)
            hello = self.peer().begin(8, epoch="f")
            self.assertEqual((hello["epoch"], hello["offset"]), ("f", 8))

    def test_a_position_is_what_the_reader_has_taken(self) -> None:
        with self.client.stream(StreamPosition("e", 0)) as stream:
            peer = self.peer()
            peer.begin(2)
            peer.message(1)
            peer.message(2)
            stream.next(WAIT)
            self.assertEqual(stream.position, StreamPosition("e", 1))

    def test_messages_wait_for_live_and_are_repeated_after_a_temporary_refusal(self) -> None:
        with self.client.stream() as stream:
            first, second = [stream.send_message("cnv_0", text, client_id=text) for text in ("one", "two")]
            peer = self.peer()
            peer.begin(0)
            peer.send(type="live", offset=0)
            self.assertEqual([peer.read()["client_id"] for _ in range(2)], ["one", "two"])
            peer.send(type="nack", client_id="one", code="chat.busy", temporary=True, retry_after=1)
            peer.send(type="ack", client_id="two", conversation="cnv_0", seq=1, sent_at="")
            self.assertEqual(second.wait(WAIT)["seq"], 1)
            self.assertEqual([frame["client_id"] for frame in stream.outbox], ["one"])
            self.assertEqual(peer.read()["client_id"], "one")
            peer.send(type="nack", client_id="one", code="chat.gone", temporary=False)
            with self.assertRaises(MessageRefused):
                first.wait(WAIT)
            self.assertEqual(stream.outbox, [])

    def test_a_token_that_ended_is_renewed(self) -> None:
        renewed: list[str] = []

        def renew(used: str) -> bool:
            renewed.append(used)
            self.client._set(Tokens("new", "next", "usr_0"))
            return True

        self.client.renew = renew  # type: ignore[method-assign]
        with self.client.stream() as stream:
            peer = self.peer()
            self.assertEqual(peer.fields["authorization"], "Bearer old")
            peer.begin(0)
            peer.close(4001)
            peer = self.peer()
            self.assertEqual(peer.fields["authorization"], "Bearer new")
            peer.refuse(401)
            self.peer().begin(0)
            self.assertEqual(renewed, ["old", "new"])
            self.assertIsNotNone(stream)

    def test_it_does_not_come_back_when_it_must_not(self) -> None:
        for is_open in (True, False):
            with self.client.stream() as stream:
                sending = stream.send_message("cnv_0", "Hello")
                peer = self.peer()
                if is_open:
                    peer.open()
                    peer.close(4500)
                else:
                    peer.refuse(403)
                with self.assertRaises(StreamEnded):
                    stream.next(WAIT)
                with self.assertRaises(StreamEnded):
                    sending.wait(WAIT)

    def test_it_comes_back_from_a_refusal_that_passes(self) -> None:
        with self.client.stream():
            self.peer().refuse(503)
            self.assertEqual(self.peer().open(), {"type": "hello", "v": 1})
