package import NIOCore
import NIOWebSocket

/// The sending side of one WebSocket. Belongs to the event loop; keeps nothing alive once the socket is gone.
package final class WebSocket {
    package let eventLoop: any EventLoop
    /// The other end, or the client that a trusted proxy names.
    package let peerAddress: String
    /// Whether messages are still read while more than the high-water mark waits for the peer. An endpoint that answers each
    /// message with as much says no: then the peer's own sending stalls instead of memory growing here.
    package var readsWhileBlocked = true
    /// Nil once the socket is gone.
    var handler: WebSocketHandler?

    init(eventLoop: any EventLoop, peerAddress: String) {
        self.eventLoop = eventLoop
        self.peerAddress = peerAddress
    }

    /// False while more than the high-water mark (64 KiB) waits for the peer to read, and once the socket is gone.
    package var isWritable: Bool { handler?.isWritable ?? false }

    /// Writes one unfragmented text frame without flushing; does nothing once a close frame was sent.
    package func write(text: ByteBuffer) { handler?.write(.text, text) }

    /// Writes one unfragmented binary frame without flushing; does nothing once a close frame was sent.
    package func write(binary: ByteBuffer) { handler?.write(.binary, binary) }

    package func flush() { handler?.flush() }

    /// Sends an empty ping at once.
    package func ping() {
        handler?.write(.ping, ByteBuffer())
        handler?.flush()
    }

    /// Sends a close frame once (further writes are dropped), waits at most 3 s for the peer's echo, then closes the socket.
    /// Safe to call twice.
    /// - Parameters:
    ///   - code: what may stand in a close frame (RFC 6455, 7.4); anything else becomes 1011.
    ///   - reason: cut to 123 bytes of UTF-8.
    package func close(code: UInt16, reason: String) { handler?.close(code: code, reason: reason) }

    /// Closes without a word.
    package func abort() { handler?.abort() }
}
