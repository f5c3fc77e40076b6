package import NIOCore
import Synchronization

/// Whether the client of an HTTP connection is still there, for responses that take long.
///
/// A client has left when its connection ends, and also when it closes its sending side: browsers and proxies that abandon a
/// request do this first, and they have no use for a response that is not ready yet.
package final class ClientPresence: Sendable {
    /// The presence of the client whose request this task answers; nil for requests made inside the process.
    @TaskLocal package static var current: ClientPresence?

    private struct State {
        var hasLeft = false
        var listeners: [UInt64: @Sendable () -> Void] = [:]
        var lastNumber: UInt64 = 0
    }

    private let channel: any Channel
    private let state = Mutex(State())

    init(_ channel: any Channel) { self.channel = channel }

    /// Calls `action` once when the client leaves, or at once if it has left. It runs on the event loop or the caller's thread,
    /// so it must be short.
    /// - Returns: a number for `forget`.
    package func whenLeft(_ action: @escaping @Sendable () -> Void) -> UInt64 {
        let (number, hasLeft) = state.withLock { state in
            state.lastNumber += 1
            if !state.hasLeft { state.listeners[state.lastNumber] = action }
            return (state.lastNumber, state.hasLeft)
        }
        if hasLeft { action() }
        return number
    }

    /// Calls the action of this number no more.
    package func forget(_ number: UInt64) { state.withLock { $0.listeners[number] = nil } }

    /// Closes the connection after a delay, unless `isOver` returns true by then.
    package func close(after delay: TimeAmount, unless isOver: @escaping @Sendable () -> Bool) {
        let channel = channel
        channel.eventLoop.scheduleTask(in: delay) {
            if !isOver() { channel.close(promise: nil) }
        }
    }

    fileprivate func leave() {
        let listeners = state.withLock { state in
            defer { state.listeners = [:] }
            state.hasLeft = true
            return Array(state.listeners.values)
        }
        for listener in listeners { listener() }
    }
}

/// Tells the presence when the client leaves.
final class ClientPresenceHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    private let presence: ClientPresence

    init(_ presence: ClientPresence) { self.presence = presence }

    func channelInactive(context: ChannelHandlerContext) {
        presence.leave()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { presence.leave() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event { presence.leave() }
        context.fireUserInboundEventTriggered(event)
    }
}
