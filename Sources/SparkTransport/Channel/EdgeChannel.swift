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

/// A connection's pipeline: HTTP/1.1 with limits, security headers and a deadline for slow requests; then, by what its first
/// request is, either gzip and Hummingbird or a WebSocket.
struct EdgeChannel: ServerChildChannel, HTTPChannelHandler {
    /// A connection of which nothing need be known yet.
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let negotiated: EventLoopFuture<Negotiated>
    }

    let responder: HTTPChannelHandler.Responder
    let idleTimeout: Duration
    let requestTimeout: Duration
    let gateway: WebSocketGateway

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let promise = channel.eventLoop.makePromise(of: Negotiated.self)
        let idleTimeout = idleTimeout
        do {
            try Self.addParsing(to: channel.pipeline.syncOperations)
            try channel.pipeline.syncOperations.addHandlers(
                Self.guards(requestTimeout: requestTimeout, gateway: gateway) + [
                    UpgradeGate(gateway: gateway, negotiated: promise) { channel in
                        try Self.becomeHTTP(channel, idleTimeout: idleTimeout, logger: logger)
                    }
                ])
        } catch {
            promise.fail(error)
            return channel.eventLoop.makeFailedFuture(error)
        }
        return channel.eventLoop.makeSucceededFuture(Value(channel: channel, negotiated: promise.futureResult))
    }

    func handle(value: Value, logger: Logger) async {
        let negotiated = await withTaskCancellationHandler {
            try? await value.negotiated.get()
        } onCancel: {
            value.channel.close(promise: nil)
        }
        // A WebSocket needs no task: it lives on its event loop alone.
        guard case .http(let asyncChannel) = negotiated else { return }
        await handleHTTP(asyncChannel: asyncChannel, logger: logger)
    }

    static func addParsing(to pipeline: ChannelPipeline.SynchronousOperations) throws {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 16 * 1_024
        limits.maxHeaderListSize = 32 * 1_024
        limits.maxHeaderFieldCount = 100
        // What is left over when the parser goes are a WebSocket's first frames.
        let parser = HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: limits)
        try pipeline.addHandlers([HTTPResponseEncoder(), ByteToMessageHandler(parser)])
    }

    /// What stands between the parser and whoever answers, the network's side first.
    static func guards(requestTimeout: Duration, gateway: WebSocketGateway) -> [any ChannelHandler] {
        [
            SecurityHeaders(),
            RequestGuard(limit: .nanoseconds(requestTimeout.milliseconds * 1_000_000)) { gateway.route(of: $0) != nil },
        ]
    }

    /// The way of an ordinary connection's requests, from the gate on.
    static func becomeHTTP(
        _ channel: any Channel, idleTimeout: Duration, logger: Logger
    ) throws -> NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart> {
        try channel.pipeline.syncOperations.addHandlers([
            HTTPResponseCompressor { ContentCoding.prepare(&$0, isSupported: $1) ? .compressIfPossible : .doNotCompress },
            HTTP1ToHTTPServerCodec(secure: false),
            HTTPConnectionStateHandler(idleTimeout: idleTimeout, logger: logger),
        ])
        return try NIOAsyncChannel(
            wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
    }
}
