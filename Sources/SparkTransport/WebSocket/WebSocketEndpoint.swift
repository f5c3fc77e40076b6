package import NIOCore

/// What stands behind one WebSocket. Every call comes on the channel's event loop; it need not be Sendable.
package protocol WebSocketEndpoint: AnyObject {
    /// The 101 has left. Does not come when the peer went away before.
    func opened(_ socket: WebSocket)
    /// A whole message: valid UTF-8.
    func received(text: ByteBuffer)
    /// A whole binary message.
    func received(binary: ByteBuffer)
    /// A ping or a pong came (the ping is answered already): a sign of life, and something to be counted.
    func receivedControl()
    /// Writability changed to true.
    func becameWritable()
    /// The server takes no new connections any more. Closing is the endpoint's to do, when and how it likes.
    func serverIsStopping()
    /// The socket is gone, however it went; called exactly once, last.
    func closed()
}

extension WebSocketEndpoint {
    package func serverIsStopping() {}
}
