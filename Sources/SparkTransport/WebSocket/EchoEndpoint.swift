import NIOCore

/// Sends every message back. What conformance suites and people who try their clients talk to.
final class EchoEndpoint: WebSocketEndpoint {
    private var socket: WebSocket?

    func opened(_ socket: WebSocket) {
        // What a peer sends without reading the echo may not gather here.
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
    /// `/api/v1/ws/echo`: open to everybody, so only where a setting asks for it.
    static let echo = WebSocketRoute(path: "/api/v1/ws/echo", maximumMessageBytes: 16_777_216) { _ in
        WebSocketAcceptance { EchoEndpoint() }
    }
}
