package import HTTPTypes

/// A path that accepts WebSocket upgrades.
package struct WebSocketRoute: Sendable {
    /// The exact path without a query, such as `/api/v1/ws`.
    package let path: String
    /// The first of these that the client offers is chosen; none if it offers none of them.
    package let subprotocols: [String]
    /// The size limit of a message and of a frame, in bytes. A longer one closes the socket with 1009.
    package let maximumMessageBytes: Int
    /// Decides before the upgrade. Throws a `ClientError` (401, 403, 429, 503 …), which is answered as problem+json with
    /// `Connection: close`. Cancelled when the client disconnects.
    ///
    /// Exactly one endpoint is made for each acceptance, even when the client has disconnected in the meantime, so `closed` can
    /// release what this reserved.
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

/// The request of a client that asks for a WebSocket.
package struct WebSocketRequest: Sendable {
    /// The percent-decoded query; the first value of each name.
    package let query: [String: String]
    /// The header fields of the request.
    package let headers: HTTPFields
    /// The client's address, as limits and logs use it; a trusted proxy's report counts.
    package let peerAddress: String
    /// The origin of the page that opens the socket; browsers always send it.
    package var origin: String? { headers[.origin] }
    /// The name by which the client addresses this server.
    package let host: String?

    /// A request from its parts.
    package init(query: [String: String], headers: HTTPFields, peerAddress: String, host: String?) {
        self.query = query
        self.headers = headers
        self.peerAddress = peerAddress
        self.host = host
    }
}

/// A route's acceptance of a request.
package struct WebSocketAcceptance: Sendable {
    /// Makes the endpoint, on the channel's event loop.
    package let makeEndpoint: @Sendable () -> any WebSocketEndpoint

    /// - Parameter makeEndpoint: called once, on the channel's event loop.
    package init(makeEndpoint: @escaping @Sendable () -> any WebSocketEndpoint) {
        self.makeEndpoint = makeEndpoint
    }
}
