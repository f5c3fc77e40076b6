package import HTTPTypes
package import NIOCore
package import NIOHTTP1
package import SparkCore

/// A path at which the first request of a connection may change it to another protocol (RFC 9110, 7.8), such as WebSocket. The
/// edge knows when a connection may change; the route knows the protocol.
package protocol UpgradeRoute: Sendable {
    /// The exact path without a query, such as `/api/v1/ws`.
    var path: String { get }
    /// One sentence for requests that reach the path without an upgrade.
    var summary: String { get }
    /// Answers a request to the path that is no upgrade, or an upgrade that comes too late on its connection.
    var missingUpgrade: any ClientError { get }
    /// Answers a client that sends more than a head before the upgrade was accepted.
    var brokenHandshake: any ClientError { get }

    /// Whether a GET asks for this protocol. All others are ordinary requests.
    func isOffered(by head: HTTPRequestHead) -> Bool
    /// Checks the opening handshake.
    /// - Throws: the `ClientError` that refuses it.
    func handshake(_ head: HTTPRequestHead) throws -> any UpgradeHandshake
}

/// An error that says which protocol the client may ask for instead.
package protocol UpgradeRefusal: ClientError {
    /// Header fields of the response, `Upgrade` (RFC 9110, 15.5.22) among them; none if the protocol is not the fault.
    var offer: HTTPFields { get }
}

/// The request of a client that asks for an upgrade.
package struct UpgradeRequest: Sendable {
    /// The percent-decoded query; the first value of each name.
    package let query: [String: String]
    /// The header fields of the request.
    package let headers: HTTPFields
    /// The client's address, as limits and logs use it; a trusted proxy's report counts.
    package let peerAddress: String
    /// The name by which the client addresses this server.
    package let host: String?
}

/// A valid opening handshake.
package protocol UpgradeHandshake: Sendable {
    /// Decides about the upgrade. Cancelled when the client disconnects.
    /// - Throws: a `ClientError`, which is answered as problem+json with `Connection: close`.
    func accept(_ request: UpgradeRequest) async throws -> any AcceptedUpgrade
}

/// An accepted upgrade. Exactly one of its methods is called, once, on the channel's event loop.
package protocol AcceptedUpgrade: Sendable {
    /// Makes the connection that speaks the new protocol.
    func connection(on eventLoop: any EventLoop) -> any UpgradedConnection
    /// Releases what the acceptance reserved: the client has disconnected in the meantime.
    func decline()
}

/// A connection that speaks the new protocol. Used on its event loop.
package protocol UpgradedConnection {
    /// The head of the 101 response.
    var response: HTTPResponseHead { get }

    /// Adds the protocol's handlers to the channel, and begins. The handlers of HTTP are gone, but for the parser: the bytes that
    /// it holds come as soon as this returns.
    func begin(on channel: any Channel) throws
    /// The client disconnected before the response was sent.
    func neverBegan()
}
