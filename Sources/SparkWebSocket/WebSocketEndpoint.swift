package import NIOCore

/// Handles one WebSocket. Every call comes on the channel's event loop; an endpoint need not be Sendable.
package protocol WebSocketEndpoint: AnyObject {
    /// The 101 response was sent. Not called when the peer disconnected before.
    func opened(_ socket: WebSocket)
    /// A whole text message, checked to be valid UTF-8.
    func received(text: ByteBuffer)
    /// A whole binary message.
    func received(binary: ByteBuffer)
    /// A ping or a pong arrived; a ping is already answered. It proves that the peer is alive, and it counts against limits.
    func receivedControl()
    /// `WebSocket.isWritable` changed to true.
    func becameWritable()
    /// The server no longer accepts connections. The endpoint decides when and how to close.
    func serverIsStopping()
    /// The socket is closed, for whatever reason. Called exactly once, as the last call.
    func closed()
}

extension WebSocketEndpoint {
    /// Does nothing by default.
    package func serverIsStopping() {}
}
