package import HTTPTypes
import NIOCore
package import NIOHTTP1
package import SparkCore
package import SparkHTTP
package import SparkWebSocket

/// A WebSocket route as the edge's upgrade: joins the two, which do not know each other.
package struct WebSocketUpgrade: UpgradeRoute {
    private let route: WebSocketRoute

    /// - Parameter route: decides about the clients that offer a valid handshake.
    package init(_ route: WebSocketRoute) { self.route = route }

    package var path: String { route.path }
    package var summary: String { "Speaks WebSocket (RFC 6455)." }
    package var missingUpgrade: any ClientError { HandshakeError.upgradeRequired }
    package var brokenHandshake: any ClientError { HandshakeError.malformed }

    package func isOffered(by head: HTTPRequestHead) -> Bool { WebSocketHandshake.isOffered(by: head) }

    package func handshake(_ head: HTTPRequestHead) throws -> any UpgradeHandshake {
        Handshake(route: route, opening: try WebSocketHandshake(head))
    }

    private struct Handshake: UpgradeHandshake {
        let route: WebSocketRoute
        let opening: WebSocketHandshake

        func accept(_ request: UpgradeRequest) async throws -> any AcceptedUpgrade {
            let request = WebSocketRequest(
                query: request.query, headers: request.headers, peerAddress: request.peerAddress, host: request.host)
            let acceptance = try await route.accept(request)
            return Accepted(route: route, opening: opening, acceptance: acceptance, peerAddress: request.peerAddress)
        }
    }

    private struct Accepted: AcceptedUpgrade {
        let route: WebSocketRoute
        let opening: WebSocketHandshake
        let acceptance: WebSocketAcceptance
        let peerAddress: String

        func connection(on eventLoop: any EventLoop) -> any UpgradedConnection {
            let handler = WebSocketHandler(
                acceptance.makeEndpoint(), maximumMessageBytes: route.maximumMessageBytes, eventLoop: eventLoop,
                peerAddress: peerAddress)
            return Connection(response: opening.response(choosingFrom: route.subprotocols), handler: handler)
        }

        func decline() { acceptance.makeEndpoint().closed() }
    }

    private struct Connection: UpgradedConnection {
        let response: HTTPResponseHead
        let handler: WebSocketHandler

        func begin(on channel: any Channel) throws { try handler.begin(on: channel) }
        func neverBegan() { handler.neverOpened() }
    }
}

extension HandshakeError: UpgradeRefusal {
    /// The protocol and its version, with status 426.
    package var offer: HTTPFields { status == 426 ? [.upgrade: "websocket", .secWebSocketVersion: "13"] : [:] }
}
