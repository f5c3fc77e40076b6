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

/// A connection's pipeline: HTTP/1.1 with limits, security headers, gzip and a deadline for slow requests, then Hummingbird.
struct EdgeChannel: ServerChildChannel, HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    /// Answers shorter than this are not compressed.
    private static let compressionFloor = 1_024

    let responder: HTTPChannelHandler.Responder
    let idleTimeout: Duration
    let requestTimeout: Duration

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = 16 * 1_024
            limits.maxHeaderListSize = 32 * 1_024
            limits.maxHeaderFieldCount = 100
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
            try pipeline.addHandlers(Self.guards(requestTimeout: requestTimeout))
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: idleTimeout, logger: logger))
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    /// What stands between the parser and Hummingbird, the network's side first.
    static func guards(requestTimeout: Duration) -> [any ChannelHandler] {
        [
            SecurityHeaders(),
            RequestGuard(limit: .nanoseconds(requestTimeout.milliseconds * 1_000_000)),
            HTTPResponseCompressor(responseCompressionPredicate: worthCompressing),
        ]
    }

    func handle(value asyncChannel: Value, logger: Logger) async {
        await handleHTTP(asyncChannel: asyncChannel, logger: logger)
    }

    private static func worthCompressing(
        _ head: inout HTTPResponseHead, isSupported: Bool
    ) -> HTTPResponseCompressor.CompressionIntent {
        guard let length = head.headers.first(name: "Content-Length").flatMap({ Int($0) }), length >= compressionFloor else {
            return .doNotCompress
        }
        head.headers.add(name: "Vary", value: "Accept-Encoding")
        return .compressIfPossible
    }
}
