package import HTTPTypes

/// A path on which connections become WebSockets.
package struct WebSocketRoute: Sendable {
    /// Whole, exact, without query: `/api/v1/ws`.
    package let path: String
    /// The first of these that the client offers is chosen; none if it offers none of them.
    package let subprotocols: [String]
    /// Of a whole message, and of any frame; longer ones close the socket with 1009.
    package let maximumMessageBytes: Int
    /// Decides before the upgrade. Throws a `ClientError` (401, 403, 429, 503 …), which is answered as problem+json with
    /// `Connection: close`. Cancelled when the client goes away.
    ///
    /// Of each acceptance exactly one endpoint is made, also when the client has gone in the meantime: what was reserved here
    /// can be given back in `closed`.
    package let accept: @Sendable (WebSocketRequest) async throws -> WebSocketAcceptance

    /// - Parameter maximumMessageBytes: 125 (a control frame) to 16 MiB.
    package init(
        path: String, subprotocols: [String] = [], maximumMessageBytes: Int,
        accept: @escaping @Sendable (WebSocketRequest) async throws -> WebSocketAcceptance
    ) {
        precondition((125...16_777_216).contains(maximumMessageBytes), "a message's bound of 125 bytes to 16 MiB")
        self.path = path
        self.subprotocols = subprotocols
        self.maximumMessageBytes = maximumMessageBytes
        self.accept = accept
    }
}

/// What a client asked for when it offered to change to WebSocket.
package struct WebSocketRequest: Sendable {
    /// Percent-decoded; the first of each name.
    package let query: [String: String]
    package let headers: HTTPFields
    /// The client's address, as limits and logs know it: a trusted proxy's word counts.
    package let peerAddress: String
    /// Where the page that opens the socket comes from; browsers always say it.
    package var origin: String? { headers[.origin] }
    /// The name under which the client knows this server.
    package let host: String?

    package init(query: [String: String], headers: HTTPFields, peerAddress: String, host: String?) {
        self.query = query
        self.headers = headers
        self.peerAddress = peerAddress
        self.host = host
    }
}

/// A route's yes.
package struct WebSocketAcceptance: Sendable {
    /// Runs on the channel's event loop.
    package let makeEndpoint: @Sendable () -> any WebSocketEndpoint

    package init(makeEndpoint: @escaping @Sendable () -> any WebSocketEndpoint) {
        self.makeEndpoint = makeEndpoint
    }
}
