import NIOCore
import NIOHTTP1
import NIOWebSocket

extension Channel {
    /// Takes everything that speaks HTTP out of the pipeline and puts frames in its place. Bytes that came behind the request
    /// are the first frame's.
    /// - Parameter needsRead: whether the network was asked for more already, in vain.
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
        // The parser goes last, after all that is on the stack now, and hands on what it has kept.
        let isGone = eventLoop.makePromise(of: Void.self)
        pipeline.removeHandler(context: parser, promise: isGone)
        isGone.futureResult.assumeIsolated().whenComplete { _ in
            pipeline.fireChannelReadComplete()
            if needsRead { pipeline.read() }
        }
    }
}
