import HTTPTypes
package import Logging
package import SparkCore
package import SparkHTTP
import SparkKit
package import SparkWebSocket

/// The entrance of the stream: checks which clients may connect, and makes their sessions.
package final class StreamGateway: Sendable {
    /// The size limit of a client's frame and of a whole message, in bytes.
    package static let maximumFrameBytes = 64 * 1_024
    /// The path of the WebSocket.
    package static let path = "/api/v1/ws"
    /// The WebSocket subprotocol, with the version of the stream's interface.
    package static let subprotocol = "spark.v1"

    let hub: Hub
    let configuration: StreamConfiguration
    let frames: FrameTable
    let reader: StreamReader
    let rates: FrameBudget.Rates
    let clock: any WallClock
    let random: any RandomSource
    let activity: (any ActivityRecording)?
    let metrics = StreamMetrics()
    /// The tickets that authenticate connections.
    package let tickets: StreamTickets
    private let authenticator: (any Authenticating)?
    private let origins: AllowedOrigins
    private let liveness: (any SessionLiveness)?
    private let logger: Logger

    /// - Parameters:
    ///   - hub: frozen.
    ///   - origins: the web origins that may connect, besides the server's own.
    ///   - hasGenerousLimits: true for the ephemeral server under a test's load.
    package init(
        hub: Hub, configuration: StreamConfiguration, origins: AllowedOrigins, tickets: StreamTickets,
        authenticator: (any Authenticating)?, liveness: (any SessionLiveness)?,
        activity: (any ActivityRecording)?, random: any RandomSource, logger: Logger,
        hasGenerousLimits: Bool
    ) {
        self.hub = hub
        self.configuration = configuration
        self.frames = hub.frames
        self.reader = hub.reader
        let factor = hasGenerousLimits ? 20 : 1
        self.rates = FrameBudget.Rates(
            messagesPerSecond: configuration.messagesPerSecond * factor,
            framesPerSecond: configuration.framesPerSecond * factor)
        self.clock = hub.clock
        self.random = random
        self.activity = activity
        self.tickets = tickets
        self.authenticator = authenticator
        self.origins = origins
        self.liveness = liveness
        self.logger = logger
    }

    /// The WebSocket route of the stream.
    package var route: WebSocketRoute {
        WebSocketRoute(
            path: Self.path, subprotocols: [Self.subprotocol], maximumMessageBytes: Self.maximumFrameBytes
        ) { [self] request in
            guard mayConnect(origin: request.origin, host: request.host) else { throw StreamError.originRefused }
            if hub.isDraining { throw StreamError.draining }
            let principal = try await principal(of: request)
            // Check before this takes the place of another connection, and again once the hub knows the session.
            guard try await isLive(principal) else { throw EdgeError.unauthenticated }
            let session = StreamSession(
                gateway: self, principal: principal, place: try place(for: principal.user, at: request.peerAddress))
            hub.enter(session)
            do {
                guard try await isLive(principal) else { throw EdgeError.unauthenticated }
            } catch {
                session.closed()
                throw error
            }
            return WebSocketAcceptance { session }
        }
    }

    /// Whether a session is still live. Call it after the hub knows the connection that acts for the session.
    func isLive(_ principal: Principal) async throws -> Bool { try await liveness?.isLive(principal) ?? true }

    /// Runs `body` on behalf of a session: none of its writes takes effect once the session has ended.
    func acting<Value>(as principal: Principal, _ body: () async throws -> Value) async throws -> Value {
        guard let liveness else { return try await body() }
        return try await liveness.acting(as: principal, body)
    }

    /// The principal of an access token.
    func authenticate(_ token: String) async throws -> Principal {
        guard let authenticator else { throw EdgeError.unauthenticated }
        return try await authenticator.authenticate(token: token)
    }

    private func principal(of request: WebSocketRequest) async throws -> Principal {
        if let field = request.headers[.authorization] {
            guard let token = BearerToken.read(field) else { throw EdgeError.unauthenticated }
            return try await authenticate(token)
        }
        guard let ticket = request.query["ticket"] else { throw EdgeError.unauthenticated }
        return try tickets.redeem(ticket, for: .socket)
    }

    /// Native clients send no origin. A web page's origin must be the server's own or one from the configuration.
    private func mayConnect(origin: String?, host: String?) -> Bool {
        guard let origin else { return true }
        if origins.contains(origin) { return true }
        guard let host, let slash = origin.lastIndex(of: "/") else { return false }
        return origin[origin.index(after: slash)...].lowercased() == host.lowercased()
    }

    /// Reserves a place for one more socket, event stream or poll.
    /// - Parameter address: the client's address; loopback has no limit of its own.
    func place(for user: UserID, at address: String) throws -> StreamPlace {
        let isLocal = address.isEmpty || OperatorAccess.isLoopback(address: address)
        return try hub.place(for: user, from: isLocal ? nil : ClientAddress.limitKey(address))
    }

    /// Logs that events past their retention could not be deleted.
    func logForgetting(_ error: any Error) {
        logger.warning("forgetting events failed", metadata: ["error": .string(ErrorSummary.of(error))])
    }

    /// Logs an internal failure. The client does not see it.
    func log(_ error: any Error, frame: String) {
        guard !(error is CancellationError) else { return }
        logger.error("frame failed", metadata: ["frame": .string(frame), "error": .string(ErrorSummary.of(error))])
    }
}
