"""A WebSocket client (RFC 6455) for text messages, with a lock that lets threads share one connection."""

from __future__ import annotations

import base64
import hashlib
import os
import selectors
import socket
import ssl
import struct
import threading
import time

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10
_LONGEST_HEAD = 16 * 1024
_LONGEST_MESSAGE = 1 << 20


class Refused(Exception):
    """The server answered the handshake with another status than 101."""

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        super().__init__(f"the server answered {status} instead of opening a WebSocket")
        self.status = status
        #: By lower-case name.
        self.headers = headers


class Closed(Exception):
    """The connection has ended."""

    def __init__(self, code: int | None, reason: str = "") -> None:
        super().__init__(f"the WebSocket was closed: {code or 'the connection broke'} {reason}".rstrip())
        #: The close code (section 7.4); None if the connection broke.
        self.code = code


class WebSocket:
    """One open connection. One thread receives; any thread sends."""

    def __init__(self, connection: socket.socket, received: bytes = b"") -> None:
        self._connection = connection
        self._buffer = bytearray(received)
        self._parts: list[bytes] | None = None
        # A TLS connection must not be read and written at the same time.
        self._lock = threading.Lock()
        self._is_closing = False
        self._selector = selectors.DefaultSelector()
        self._selector.register(connection, selectors.EVENT_READ)

    @classmethod
    def connect(
        cls,
        host: str,
        port: int,
        path: str,
        headers: dict[str, str],
        *,
        subprotocol: str,
        timeout: float,
        tls: ssl.SSLContext | None = None,
    ) -> WebSocket:
        """Opens a connection. Raises Refused, Closed, or an OSError."""
        connection = socket.create_connection((host, port), timeout)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is not None:
                connection = tls.wrap_socket(connection, server_hostname=host)
            key = base64.b64encode(os.urandom(16))
            name = f"[{host}]" if ":" in host else host
            lines = [
                f"GET {path} HTTP/1.1",
                f"Host: {name}:{port}",
                "Upgrade: websocket",
                "Connection: Upgrade",
                f"Sec-WebSocket-Key: {key.decode()}",
                "Sec-WebSocket-Version: 13",
                f"Sec-WebSocket-Protocol: {subprotocol}",
            ] + [f"{field}: {value}" for field, value in headers.items()]
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            status, answered, rest = _read_head(connection)
            if status != 101:
                raise Refused(status, answered)
            accept = base64.b64encode(hashlib.sha1(key + _GUID).digest()).decode()
            if answered.get("sec-websocket-accept") != accept or answered.get("sec-websocket-protocol") != subprotocol:
                raise Closed(None, "the server's handshake is wrong")
        except BaseException:
            connection.close()
            raise
        return cls(connection, rest)

    def send(self, text: str) -> None:
        """Sends a text message. Raises Closed if the connection has ended."""
        self._write(_TEXT, text.encode())

    def receive(self, timeout: float) -> str | None:
        """The next text message; None if none came in time. Raises Closed at the end."""
        deadline = time.monotonic() + timeout
        while True:
            frame = self._frame()
            if frame is None:
                if not self._read(deadline - time.monotonic()):
                    return None
                continue
            is_final, opcode, data = frame
            if opcode == _PING:
                self._write(_PONG, data)
            elif opcode == _CLOSE:
                self._end(data)
            elif opcode == _BINARY:
                self.close(1003)
                raise Closed(1003, "the server sent a binary message")
            elif opcode in (_TEXT, _CONTINUATION):
                message = self._message(is_final, opcode, data)
                if message is not None:
                    return message

    def close(self, code: int = 1000) -> None:
        """Says good-bye and closes the connection."""
        try:
            self._write(_CLOSE, struct.pack("!H", code))
        except Closed:
            pass
        self.abort()

    def abort(self) -> None:
        """Breaks the connection. A thread that receives gets Closed."""
        self._is_closing = True
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def release(self) -> None:
        """Gives the descriptors back. Only the thread that receives may call it, as its last call."""
        self.abort()
        self._selector.close()
        self._connection.close()

    def _end(self, data: bytes) -> None:
        code = struct.unpack("!H", data[:2])[0] if len(data) >= 2 else 1005
        self.close(code if code != 1005 else 1000)
        raise Closed(code, data[2:].decode(errors="replace"))

    def _message(self, is_final: bool, opcode: int, data: bytes) -> str | None:
        if (opcode == _CONTINUATION) == (self._parts is None):
            self.close(1002)
            raise Closed(1002, "a fragment is out of place")
        parts = (self._parts or []) + [data]
        if sum(map(len, parts)) > _LONGEST_MESSAGE:
            self.close(1009)
            raise Closed(1009, "a message is too long")
        self._parts = None if is_final else parts
        if not is_final:
            return None
        try:
            return b"".join(parts).decode()
        except UnicodeDecodeError:
            self.close(1007)
            raise Closed(1007, "a text is not UTF-8") from None

    def _frame(self) -> tuple[bool, int, bytes] | None:
        """A whole frame of the buffer (section 5.2); None if it is not there yet."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1] & 0x7F, 2
        if buffer[0] & 0x70 or buffer[1] & 0x80:
            self.close(1002)
            raise Closed(1002, "a frame has bits that were not agreed on")
        if length == 126:
            if len(buffer) < 4:
                return None
            length, start = struct.unpack_from("!H", buffer, 2)[0], 4
        elif length == 127:
            if len(buffer) < 10:
                return None
            length, start = struct.unpack_from("!Q", buffer, 2)[0], 10
        if length > _LONGEST_MESSAGE:
            self.close(1009)
            raise Closed(1009, "a frame is too long")
        if len(buffer) < start + length:
            return None
        head, data = buffer[0], bytes(buffer[start : start + length])
        del buffer[: start + length]
        return bool(head & 0x80), head & 0x0F, data

    def _read(self, timeout: float) -> bool:
        """Adds what has arrived to the buffer; False if nothing came in time."""
        pending = isinstance(self._connection, ssl.SSLSocket) and self._connection.pending() > 0
        try:
            if not pending and not self._selector.select(max(0.0, timeout)):
                return False
            with self._lock:
                data = self._connection.recv(65_536)
        except ssl.SSLWantReadError:
            return True
        except OSError as error:
            raise Closed(None, str(error)) from error
        if not data:
            raise Closed(None)
        self._buffer += data
        return True

    def _write(self, opcode: int, data: bytes) -> None:
        length = len(data)
        if length < 126:
            head = struct.pack("!BB", 0x80 | opcode, 0x80 | length)
        elif length < 1 << 16:
            head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, length)
        else:
            head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, length)
        mask = os.urandom(4)
        # One operation on large integers masks faster than a loop over bytes.
        pad = (mask * (length // 4 + 1))[:length]
        masked = (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(length, "big")
        with self._lock:
            if self._is_closing:
                raise Closed(None)
            try:
                self._connection.sendall(head + mask + masked)
            except OSError as error:
                raise Closed(None, str(error)) from error


def _read_head(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """The status, the header fields and what follows them."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(4_096)
        if not chunk or len(data) > _LONGEST_HEAD:
            raise Closed(None, "the server ended the handshake")
        data += chunk
    head, _, rest = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    words = lines[0].split(" ", 2)
    if len(words) < 2 or not words[1].isdigit():
        raise Closed(None, "the server does not speak HTTP")
    fields = (line.partition(":") for line in lines[1:])
    return int(words[1]), {name.strip().lower(): value.strip() for name, _, value in fields}, rest
