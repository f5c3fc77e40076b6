import NIOCore

/// Sends every message back. Conformance suites and developers test their clients against it.
final class EchoEndpoint: WebSocketEndpoint {
    private var socket: WebSocket?

    func opened(_ socket: WebSocket) {
        // A peer that sends without reading the echo must not make memory grow here.
        socket.readsWhileBlocked = false
        self.socket = socket
    }

    func received(text: ByteBuffer) {
        socket?.write(text: text)
        socket?.flush()
    }

    func received(binary: ByteBuffer) {
        socket?.write(binary: binary)
        socket?.flush()
    }

    func receivedControl() {}

    func becameWritable() {}

    func serverIsStopping() { socket?.close(code: 1_001, reason: "the server is stopping") }

    func closed() { socket = nil }
}

extension WebSocketRoute {
    /// `/api/v1/ws/echo`. It needs no authentication, so it exists only where a setting enables it.
    package static let echo = WebSocketRoute(path: "/api/v1/ws/echo", maximumMessageBytes: 16_777_216) { _ in
        WebSocketAcceptance { EchoEndpoint() }
    }
}
