"""The WebSocket against frames that are written by hand."""

from __future__ import annotations

import socket
import struct
import unittest

from spark_client.rfc6455 import Closed, WebSocket


class WebSocketTest(unittest.TestCase):
    def setUp(self) -> None:
        ours, self.peer = socket.socketpair()
        self.peer.settimeout(10)
        self.socket = WebSocket(ours)
        self.addCleanup(self.peer.close)
        self.addCleanup(self.socket.release)

    def read_frame(self) -> tuple[int, bytes]:
        """The first byte and the unmasked data of a frame of the client."""
        head = self.read(2)
        self.assertTrue(head[1] & 0x80, "a client masks")
        length = head[1] & 0x7F
        if length == 126:
            length = struct.unpack("!H", self.read(2))[0]
        elif length == 127:
            length = struct.unpack("!Q", self.read(8))[0]
        mask = self.read(4)
        return head[0], bytes(byte ^ mask[place % 4] for place, byte in enumerate(self.read(length)))

    def read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += self.peer.recv(count - len(data))
        return data

    def test_sends_masked_texts_of_every_length(self) -> None:
        for length in (0, 1, 125, 126, 65_535, 65_536):
            text = "ä" * (length // 2) + "x" * (length % 2)
            self.socket.send(text)
            self.assertEqual(self.read_frame(), (0x81, text.encode()))

    def test_joins_fragments_around_a_ping_and_keeps_what_follows(self) -> None:
        self.peer.sendall(b"\x01\x03Hel" + b"\x89\x02hi" + b"\x80\x02lo" + b"\x81\x03you")
        self.assertEqual(self.socket.receive(5), "Hello")
        self.assertEqual(self.socket.receive(5), "you")
        self.assertEqual(self.read_frame(), (0x8A, b"hi"))

    def test_waits_for_the_rest_of_a_frame(self) -> None:
        self.peer.sendall(b"\x81\x7e\x01")
        self.assertIsNone(self.socket.receive(0.01))
        self.peer.sendall(b"\x2c" + b"x" * 299)
        self.assertIsNone(self.socket.receive(0.01))
        self.peer.sendall(b"y")
        self.assertEqual(self.socket.receive(5), "x" * 299 + "y")

    def test_answers_a_close_and_tells_its_code(self) -> None:
        self.peer.sendall(b"\x88\x04" + struct.pack("!H", 4001) + b"no")
        with self.assertRaises(Closed) as closed:
            self.socket.receive(5)
        self.assertEqual(closed.exception.code, 4001)
        self.assertEqual(self.read_frame(), (0x88, struct.pack("!H", 4001)))

    def test_tells_a_broken_connection(self) -> None:
        self.peer.close()
        with self.assertRaises(Closed) as closed:
            self.socket.receive(5)
        self.assertIsNone(closed.exception.code)

    def test_refuses_what_no_server_may_send(self) -> None:
        frames = [b"\x81\x83abcdxyz", b"\xc1\x01x", b"\x80\x01x", b"\x81\x01\xff", b"\x81\x7f" + b"\x7f" * 8, b"\x82\x01x"]
        for frame, code in zip(frames, [1002, 1002, 1002, 1007, 1009, 1003]):
            ours, peer = socket.socketpair()
            with self.subTest(frame=frame):
                connection = WebSocket(ours)
                peer.sendall(frame)
                with self.assertRaises(Closed) as closed:
                    connection.receive(5)
                self.assertEqual(closed.exception.code, code)
                connection.release()
            peer.close()
