import NIOCore

@testable import SparkWebSocket

/// Records its calls. Used on one event loop only.
final class RecordingEndpoint: WebSocketEndpoint {
    private(set) var events: [String] = []
    private(set) var socket: WebSocket?
    /// Done with each message.
    var onMessage: (WebSocket) -> Void = { _ in }

    func opened(_ socket: WebSocket) {
        events.append("opened")
        self.socket = socket
    }

    func received(text: ByteBuffer) {
        events.append("text \(String(buffer: text))")
        if let socket { onMessage(socket) }
    }

    func received(binary: ByteBuffer) { events.append("binary \(binary.readableBytes)") }
    func receivedControl() { events.append("control") }
    func becameWritable() { events.append("writable") }
    func serverIsStopping() { events.append("stopping") }
    func closed() { events.append("closed") }
}
