import NIOCore
import NIOHTTP1
import SparkCore
import SparkKit
import Synchronization

/// The pipeline of a listener's connections: TLS where it is spoken, the parser of HTTP/1.1 with its limits, and the request handler.
final class EdgeChannel: Sendable {
    /// Answers a request. Called on the connection's event loop.
    typealias Responder = @Sendable (EdgeRequest) async -> EdgeAnswer

    let responder: Responder
    let idleTimeout: Duration
    let requestTimeout: Duration
    let maximumBodyBytes: Int
    let gateway: UpgradeGateway
    /// Inspects a connection's first request for signs of an untrusted proxy.
    let proxySigns: ProxySigns?
    /// Notes the answers that no route gives.
    let unrouted: UnroutedAnswers?
    /// Nil for a port that speaks plain HTTP.
    private let secure: SecurePort?
    private let strictTransportSeconds: Int
    private let random: any RandomSource
    private let loops = Mutex<[ObjectIdentifier: LoopResources]>([:])

    /// - Parameter strictTransportSeconds: for how long browsers use HTTPS only; 0 where answers do not say so.
    init(
        idleTimeout: Duration, requestTimeout: Duration, maximumBodyBytes: Int, gateway: UpgradeGateway,
        random: any RandomSource, proxySigns: ProxySigns? = nil, unrouted: UnroutedAnswers? = nil,
        secure: SecurePort? = nil, strictTransportSeconds: Int = 0, responder: @escaping Responder
    ) {
        self.responder = responder
        self.idleTimeout = idleTimeout
        self.requestTimeout = requestTimeout
        self.maximumBodyBytes = maximumBodyBytes
        self.gateway = gateway
        self.random = random
        self.proxySigns = proxySigns
        self.unrouted = unrouted
        self.secure = secure
        self.strictTransportSeconds = strictTransportSeconds
    }

    /// Adds the handlers to a connection. Called on its event loop.
    /// - Parameter admitted: receives what the connection does.
    func setup(_ channel: any Channel, admitted: AdmittedConnection? = nil) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 16 * 1_024
        limits.maxHeaderListSize = 32 * 1_024
        limits.maxHeaderFieldCount = 100
        // The bytes that remain when the parser is removed are a WebSocket's first frames.
        let parser = HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits)
        if let secure {
            try channel.pipeline.syncOperations.addHandler(TLSEntrance(secure, admitted: admitted, unrouted: unrouted))
        }
        let requests = RequestHandler(self, resources: resources(of: channel.eventLoop), channel: channel, admitted: admitted)
        try channel.pipeline.syncOperations.addHandlers([ArrivalCount(requests), ByteToMessageHandler(parser), requests])
    }

    private func resources(of eventLoop: any EventLoop) -> LoopResources {
        loops.withLock { loops in
            let key = ObjectIdentifier(eventLoop)
            if let known = loops[key] { return known }
            let new = LoopResources(
                on: eventLoop, random: random, dates: unrouted?.dates, strictTransportSeconds: strictTransportSeconds)
            loops[key] = new
            return new
        }
    }
}
