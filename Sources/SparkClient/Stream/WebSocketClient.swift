package import NIOCore
import NIOHTTP1
import NIOPosix
package import NIOSSL
package import NIOWebSocket
import SparkCore

/// The client side of one WebSocket, for the stream's client and for load tests. It reports events on its event loop and keeps
/// only the state that a connection needs.
package final class WebSocketClient: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = WebSocketFrame

    /// The callbacks. All run on the event loop.
    package struct Events {
        package var opened: (WebSocketClient) -> Void = { _ in }
        /// A whole text message arrived.
        package var text: (WebSocketClient, ByteBuffer) -> Void = { _, _ in }
        /// The connection ended. Called once, as the last callback. The code is nil if no close frame arrived.
        package var closed: (WebSocketClient, UInt16?) -> Void = { _, _ in }
        /// The server answered with this status instead of the upgrade.
        package var refused: (UInt) -> Void = { _ in }

        package init() {}
    }

    package struct Target: Sendable {
        package let host: String
        package let port: Int
        package let path: String
        package let headers: [(String, String)]
        package let subprotocol: String?
        /// The local address to connect from; nil means any.
        package let source: String?
        /// What is trusted, for `wss`; nil for `ws`.
        package let tls: NIOSSLContext?

        package init(
            host: String, port: Int, path: String, headers: [(String, String)] = [], subprotocol: String? = nil,
            source: String? = nil, tls: NIOSSLContext? = nil
        ) {
            self.host = host
            self.port = port
            self.path = path
            self.headers = headers
            self.subprotocol = subprotocol
            self.source = source
            self.tls = tls
        }
    }

    private let events: Events
    private var context: ChannelHandlerContext?
    private var parts: ByteBuffer?
    private var closeCode: UInt16?
    private var hasClosed = false

    private init(_ events: Events) { self.events = events }

    /// Connects and then reports to the callbacks.
    /// - Parameter events: Creates the callbacks on the event loop.
    package static func connect(
        to target: Target, on eventLoop: any EventLoop, maximumFrameBytes: Int = 1 << 20,
        events: @escaping @Sendable () -> Events
    ) -> EventLoopFuture<any Channel> {
        var bootstrap = ClientBootstrap(group: eventLoop)
            .channelOption(.socketOption(.so_reuseaddr), value: 1)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connectTimeout(.seconds(20))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try initialise(channel, target: target, maximumFrameBytes: maximumFrameBytes, events: events())
                }
            }
        if let source = target.source, let address = try? SocketAddress(ipAddress: source, port: 0) {
            bootstrap = bootstrap.bind(to: address)
        }
        return bootstrap.connect(host: target.host, port: target.port)
    }

    private static func initialise(
        _ channel: any Channel, target: Target, maximumFrameBytes: Int, events: Events
    ) throws {
        if let tls = target.tls {
            // An address has no name that could be sent, but is checked against the certificate all the same.
            let name = (try? SocketAddress(ipAddress: target.host, port: 0)) == nil ? target.host : nil
            try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: tls, serverHostname: name))
        }
        let told = NIOLoopBound(events, eventLoop: channel.eventLoop)
        let upgrader = NIOWebSocketClientUpgrader(maxFrameSize: maximumFrameBytes, automaticErrorHandling: true) { channel, _ in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(WebSocketClient(told.value))
            }
        }
        let request = NIOLoopBound(UpgradeRequest(target: target, refused: events.refused), eventLoop: channel.eventLoop)
        let configuration: NIOHTTPClientUpgradeConfiguration = (
            upgraders: [upgrader],
            completionHandler: { _ in channel.pipeline.syncOperations.removeHandler(request.value, promise: nil) }
        )
        try channel.pipeline.syncOperations.addHTTPClientHandlers(
            leftOverBytesStrategy: .forwardBytes, withClientUpgrade: configuration)
        try channel.pipeline.syncOperations.addHandler(request.value)
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        events.opened(self)
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.opcode {
        case .text, .continuation:
            var message = parts ?? ByteBuffer()
            if parts == nil, frame.fin {
                message = frame.unmaskedData
            } else {
                var data = frame.unmaskedData
                message.writeBuffer(&data)
            }
            guard frame.fin else { return parts = message }
            parts = nil
            events.text(self, message)
        case .ping: write(.pong, frame.unmaskedData)
        case .connectionClose:
            var data = frame.unmaskedData
            if closeCode == nil { closeCode = data.readInteger(as: UInt16.self) ?? 1_005 }
            write(.connectionClose, frame.unmaskedData)
            context.close(promise: nil)
        default: break
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    package func handlerRemoved(context: ChannelHandlerContext) { finish() }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func finish() {
        guard !hasClosed else { return }
        hasClosed = true
        context = nil
        events.closed(self, closeCode)
    }

    // Call the following functions on the event loop.

    /// Sends a whole text message.
    package func send(_ text: ByteBuffer) { write(.text, text) }

    /// Starts the closing handshake.
    package func close(code: UInt16 = 1_000) {
        var data = ByteBuffer()
        data.writeInteger(code)
        write(.connectionClose, data)
    }

    /// Closes the connection without a handshake.
    package func abort() { context?.close(promise: nil) }

    /// Pauses or resumes reading from the socket.
    package func setReading(_ isReading: Bool) {
        guard let context else { return }
        context.channel.setOption(.autoRead, value: isReading).whenFailure { _ in }
    }

    private func write(_ opcode: WebSocketOpcode, _ data: ByteBuffer) {
        guard let context else { return }
        let frame = WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: data)
        context.writeAndFlush(NIOAny(frame), promise: nil)
    }
}

/// Sends the upgrade request, and handles an answer that refuses it.
private final class UpgradeRequest: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    private let target: WebSocketClient.Target
    private let refused: (UInt) -> Void

    init(target: WebSocketClient.Target, refused: @escaping (UInt) -> Void) {
        self.target = target
        self.refused = refused
    }

    func channelActive(context: ChannelHandlerContext) {
        var headers: HTTPHeaders = [
            "Host": "\(target.host.contains(":") ? "[\(target.host)]" : target.host):\(target.port)", "Content-Length": "0",
        ]
        for (name, value) in target.headers { headers.add(name: name, value: value) }
        if let subprotocol = target.subprotocol { headers.add(name: "Sec-WebSocket-Protocol", value: subprotocol) }
        let head = HTTPRequestHead(version: .http1_1, method: .GET, uri: target.path, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        refused(head.status.code)
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
