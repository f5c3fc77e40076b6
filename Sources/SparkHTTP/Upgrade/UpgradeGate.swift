import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import SparkCore
import SparkKit

/// The protocol of a connection.
enum Negotiated: Sendable {
    case http(NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>)
    /// Another protocol, which needs no task: it runs on its event loop only.
    case upgraded
}

/// Inspects the first request of a connection. It decides about an upgrade before Hummingbird has spent anything on
/// the connection. Any other request continues as HTTP, and the gate is removed.
///
/// It is behind the request guard, which enforces the time limit for heads, so it sees well-formed heads only.
final class UpgradeGate: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case awaitingHead
        /// The head of an upgrade arrived, but not its end.
        case offered(any UpgradeRoute, HTTPRequestHead)
        /// A route is deciding about an upgrade. Nothing is read meanwhile.
        case deciding(any UpgradeRoute, Task<Void, Never>)
        /// Answered or given up: everything that still arrives is ignored.
        case over
    }

    private let gateway: UpgradeGateway
    private let becomeHTTP: (any Channel) throws -> NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
    private let negotiated: EventLoopPromise<Negotiated>
    private var state = State.awaitingHead
    private var isReadHeld = false
    private var offeredAt = ContinuousClock.now
    private var requestID = ""
    /// The client's address, as limits use it.
    private var address = ""

    /// - Parameters:
    ///   - negotiated: always completed, at the latest when the channel closes.
    ///   - becomeHTTP: adds the rest of the HTTP pipeline behind the gate.
    init(
        gateway: UpgradeGateway, negotiated: EventLoopPromise<Negotiated>,
        becomeHTTP: @escaping (any Channel) throws -> NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
    ) {
        self.gateway = gateway
        self.negotiated = negotiated
        self.becomeHTTP = becomeHTTP
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        giveUp()
        // Has no effect on a completed promise.
        negotiated.fail(ChannelError.ioOnClosedChannel)
    }

    func channelInactive(context: ChannelHandlerContext) {
        giveUp()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (state, unwrapInboundIn(data)) {
        case (.awaitingHead, .head(let head)):
            guard let route = gateway.route(of: head) else { return proceed(context, data) }
            offeredAt = .now
            requestID = gateway.requestID(of: head)
            state = .offered(route, head)
        case (.offered(let route, let head), .end): consider(head, route, context)
        case (.offered(let route, _), _), (.deciding(let route, _), _):
            refuse(route.brokenHandshake, route, context)
        case (.awaitingHead, _), (.over, _): break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The guard has answered malformed input; there is no handler behind the gate yet.
        guard error is any ClientError else { return context.fireErrorCaught(error) }
    }

    func read(context: ChannelHandlerContext) {
        guard case .deciding = state else { return context.read() }
        isReadHeld = true
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch (event, state) {
        case (_, .over): context.fireUserInboundEventTriggered(event)
        case (is ChannelShouldQuiesceEvent, .deciding(let route, _)): refuse(EdgeError.overloaded, route, context)
        case (is ChannelShouldQuiesceEvent, _), (ChannelEvent.inputClosed, _): context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    /// An ordinary request: Hummingbird takes over, starting with this head.
    private func proceed(_ context: ChannelHandlerContext, _ head: NIOAny) {
        state = .over
        do {
            negotiated.succeed(.http(try becomeHTTP(context.channel)))
        } catch {
            negotiated.fail(error)
            return context.close(promise: nil)
        }
        context.fireChannelRead(head)
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }

    private func consider(_ head: HTTPRequestHead, _ route: any UpgradeRoute, _ context: ChannelHandlerContext) {
        guard gateway.isOpen else { return refuse(EdgeError.starting, route, context) }
        let handshake: any UpgradeHandshake
        do { handshake = try route.handshake(head) } catch { return refuse(error, route, context) }
        let request = gateway.request(head, peer: NetworkAddress(context.channel.remoteAddress))
        address = request.peerAddress
        let decided = context.eventLoop.makePromise(of: (any AcceptedUpgrade).self)
        let task = decided.completeWithTask { try await handshake.accept(request) }
        state = .deciding(route, task)
        let deadline = context.eventLoop.assumeIsolated().scheduleTask(in: gateway.patience) {
            guard case .deciding = self.state else { return }
            self.refuse(EdgeError.overloaded, route, context)
        }
        decided.futureResult.assumeIsolated().whenComplete { result in
            deadline.cancel()
            self.finish(result, context)
        }
    }

    private func finish(_ result: Result<any AcceptedUpgrade, any Error>, _ context: ChannelHandlerContext) {
        switch (result, state) {
        case (.success(let accepted), .deciding(let route, _)):
            state = .over
            upgrade(to: accepted.connection(on: context.eventLoop), route, context)
        case (.success(let accepted), _): accepted.decline()
        case (.failure(let error), .deciding(let route, _)): refuse(error, route, context)
        case (.failure, _): break
        }
    }

    private func upgrade(to connection: any UpgradedConnection, _ route: any UpgradeRoute, _ context: ChannelHandlerContext) {
        let hasLeft = context.eventLoop.makePromise(of: Void.self)
        context.write(wrapOutboundOut(.head(connection.response)), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: hasLeft)
        let isReadHeld = isReadHeld
        hasLeft.futureResult.assumeIsolated().whenComplete { result in
            self.negotiated.succeed(.upgraded)
            self.gateway.noteUpgrade(
                path: route.path, requestID: self.requestID, since: self.offeredAt, of: context.channel)
            do {
                try result.get()
                try context.channel.leaveHTTP(for: connection, needsRead: isReadHeld)
            } catch {
                connection.neverBegan()
                context.channel.close(promise: nil)
            }
        }
    }

    /// Answers as the edge would, then closes: bytes after an upgrade could belong to either protocol.
    private func refuse(_ error: any Error, _ route: any UpgradeRoute, _ context: ChannelHandlerContext) {
        giveUp()
        let reply = gateway.refusal(error, path: route.path, requestID: requestID, address: address)
        gateway.note(
            reply.status.code, path: route.path, requestID: requestID, bytes: reply.body.count, since: offeredAt)
        context.sendLast(reply).assumeIsolated().whenComplete { _ in
            context.triggerUserOutboundEvent(ConnectionEnd(), promise: nil)
        }
    }

    private func giveUp() {
        if case .deciding(_, let task) = state { task.cancel() }
        state = .over
    }
}

extension Channel {
    /// Removes the HTTP handlers from the pipeline and begins another protocol. Bytes that arrived after the request become its
    /// first bytes.
    /// - Parameter needsRead: whether a read was already requested and held back.
    fileprivate func leaveHTTP(for connection: any UpgradedConnection, needsRead: Bool) throws {
        let pipeline = pipeline.syncOperations
        let parser = try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
        for context in [
            try pipeline.context(handlerType: UpgradeGate.self), try pipeline.context(handlerType: RequestGuard.self),
            try pipeline.context(handlerType: SecurityHeaders.self),
            try pipeline.context(handlerType: HTTPResponseEncoder.self),
        ] {
            pipeline.removeHandler(context: context, promise: nil)
        }
        try connection.begin(on: self)
        // Remove the parser last, after the current calls have returned; it passes on the bytes it holds.
        let isGone = eventLoop.makePromise(of: Void.self)
        pipeline.removeHandler(context: parser, promise: isGone)
        isGone.futureResult.assumeIsolated().whenComplete { _ in
            pipeline.fireChannelReadComplete()
            if needsRead { pipeline.read() }
        }
    }
}
