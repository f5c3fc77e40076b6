import NIOCore
import NIOHTTP1
import NIOWebSocket

extension Channel {
    /// Removes the HTTP handlers from the pipeline and adds the WebSocket handlers. Bytes that arrived after the request become
    /// the first frames.
    /// - Parameter needsRead: whether a read was already requested and held back.
    func becomeWebSocket(_ handler: WebSocketHandler, needsRead: Bool) throws {
        try syncOptions?.setOption(.writeBufferWaterMark, value: WebSocketHandler.waterMark)
        let pipeline = pipeline.syncOperations
        let parser = try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
        for context in [
            try pipeline.context(handlerType: UpgradeGate.self), try pipeline.context(handlerType: RequestGuard.self),
            try pipeline.context(handlerType: SecurityHeaders.self),
            try pipeline.context(handlerType: HTTPResponseEncoder.self),
        ] {
            pipeline.removeHandler(context: context, promise: nil)
        }
        try pipeline.addHandlers([
            WebSocketFrameEncoder(),
            ByteToMessageHandler(WebSocketFrameDecoder(maxFrameSize: handler.maximumMessageBytes)),
            handler,
        ])
        handler.open()
        // Remove the parser last, after the current calls have returned; it passes on the bytes it holds.
        let isGone = eventLoop.makePromise(of: Void.self)
        pipeline.removeHandler(context: parser, promise: isGone)
        isGone.futureResult.assumeIsolated().whenComplete { _ in
            pipeline.fireChannelReadComplete()
            if needsRead { pipeline.read() }
        }
    }
}
