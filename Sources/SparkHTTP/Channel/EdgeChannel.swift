import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import SparkCore
import SparkKit

/// A connection's pipeline: HTTP/1.1 with limits, security headers and a deadline for slow requests. The first request decides
/// what follows: gzip and Hummingbird, or another protocol.
struct EdgeChannel: ServerChildChannel, HTTPChannelHandler {
    /// A connection whose protocol may not be known yet.
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let negotiated: EventLoopFuture<Negotiated>
        let presence: ClientPresence
    }

    let responder: HTTPChannelHandler.Responder
    let idleTimeout: Duration
    let requestTimeout: Duration
    let gateway: UpgradeGateway
    /// Inspects a connection's first request for signs of an untrusted proxy.
    var proxySigns: ProxySigns?
    /// Notes the answers that no router gives.
    var unrouted: UnroutedAnswers?

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        setup(channel: channel, admitted: nil, logger: logger)
    }

    /// - Parameter admitted: receives what the connection does.
    func setup(channel: any Channel, admitted: AdmittedConnection?, logger: Logger) -> EventLoopFuture<Value> {
        let promise = channel.eventLoop.makePromise(of: Negotiated.self)
        let presence = ClientPresence(channel)
        do {
            try Self.addParsing(to: channel.pipeline.syncOperations)
            try channel.pipeline.syncOperations.addHandlers(
                guards(admitted, peer: NetworkAddress(channel.remoteAddress)) + [
                    UpgradeGate(gateway: gateway, negotiated: promise) { channel in
                        try Self.becomeHTTP(channel, presence: presence, logger: logger)
                    }
                ])
        } catch {
            promise.fail(error)
            return channel.eventLoop.makeFailedFuture(error)
        }
        return channel.eventLoop.makeSucceededFuture(
            Value(channel: channel, negotiated: promise.futureResult, presence: presence))
    }

    func handle(value: Value, logger: Logger) async {
        let negotiated = await withTaskCancellationHandler {
            try? await value.negotiated.get()
        } onCancel: {
            value.channel.close(promise: nil)
        }
        guard case .http(let asyncChannel) = negotiated else { return }
        await ClientPresence.$current.withValue(value.presence) {
            await handleHTTP(asyncChannel: asyncChannel, logger: logger)
        }
    }

    static func addParsing(to pipeline: ChannelPipeline.SynchronousOperations) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 16 * 1_024
        limits.maxHeaderListSize = 32 * 1_024
        limits.maxHeaderFieldCount = 100
        // The bytes that remain when the parser is removed are a WebSocket's first frames.
        let parser = HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits)
        try pipeline.addHandlers([HTTPResponseEncoder(), ByteToMessageHandler(parser)])
    }

    /// The handlers between the parser and the responder, the network's side first.
    private func guards(_ admitted: AdmittedConnection?, peer: NetworkAddress?) -> [any ChannelHandler] {
        let (gateway, proxySigns, unrouted) = (gateway, proxySigns, unrouted)
        return [
            SecurityHeaders(dates: unrouted?.dates),
            RequestGuard(
                limit: .nanoseconds(requestTimeout.milliseconds * 1_000_000),
                idleLimit: .nanoseconds(idleTimeout.milliseconds * 1_000_000), admitted: admitted, unrouted: unrouted,
                clientNetwork: { gateway.network(of: $0, peer: peer) },
                firstCame: { if admitted?.network != nil { proxySigns?.look(at: $0) } },
                isTaken: { gateway.route(of: $0) != nil }),
        ]
    }

    /// Adds the handlers of an ordinary connection behind the gate.
    static func becomeHTTP(
        _ channel: any Channel, presence: ClientPresence, logger: Logger
    ) throws -> NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart> {
        try channel.pipeline.syncOperations.addHandlers([
            HTTPResponseCompressor { ContentCoding.prepare(&$0, isSupported: $1) ? .compressIfPossible : .doNotCompress },
            HTTP1ToHTTPServerCodec(secure: false),
            // Before the next handler, which does not pass on the end of a connection.
            ClientPresenceHandler(presence),
            // Without an idle timeout: for this handler a connection is idle as soon as its answer is written, however much of it
            // the client has still to take. The guard knows better.
            HTTPConnectionStateHandler(idleTimeout: nil, logger: logger),
        ])
        return try NIOAsyncChannel(
            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    }
}
