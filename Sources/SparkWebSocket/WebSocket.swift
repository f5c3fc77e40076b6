package import NIOCore
import NIOWebSocket

/// The sending side of one WebSocket. Use it on its event loop only. It keeps nothing alive once the socket is closed.
package final class WebSocket {
    /// The event loop of the connection.
    package let eventLoop: any EventLoop
    /// The peer's address, or the client's address that a trusted proxy reports.
    package let peerAddress: String
    /// Whether messages are still read while more than the high-water mark waits for the peer. An endpoint that answers each
    /// message with as many bytes sets this to false: the peer's sending then stalls instead of memory growing here.
    package var readsWhileBlocked = true
    /// Nil once the socket is closed.
    var handler: WebSocketHandler?

    init(eventLoop: any EventLoop, peerAddress: String) {
        self.eventLoop = eventLoop
        self.peerAddress = peerAddress
    }

    /// False while more than the high-water mark (64 KiB) waits for the peer to read, and once the socket is closed.
    package var isWritable: Bool { handler?.isWritable ?? false }

    /// Writes one unfragmented text frame without flushing. Does nothing once a close frame was sent.
    package func write(text: ByteBuffer) { handler?.write(.text, text) }

    /// Writes one unfragmented binary frame without flushing. Does nothing once a close frame was sent.
    package func write(binary: ByteBuffer) { handler?.write(.binary, binary) }

    /// Sends the frames that were written.
    package func flush() { handler?.flush() }

    /// Sends an empty ping at once.
    package func ping() {
        handler?.write(.ping, ByteBuffer())
        handler?.flush()
    }

    /// Sends a close frame once (later writes are dropped), waits at most 3 s for the peer's close frame, then closes the socket.
    /// A second call does nothing.
    /// - Parameters:
    ///   - code: a code that RFC 6455, 7.4 allows in a close frame; any other becomes 1011.
    ///   - reason: cut to 123 bytes of UTF-8.
    package func close(code: UInt16, reason: String) { handler?.close(code: code, reason: reason) }

    /// Closes the socket without a close frame.
    package func abort() { handler?.abort() }
}
