import NIOCore
import SparkCore
import SparkKit
import Synchronization

/// How a connection ends.
extension StreamSession {
    /// Once a second, on the loop.
    func tick(_ now: NIODeadline) {
        guard !isEnding else { return }
        if !hasJoined, now - openedAt > Self.helloDeadline { return end(.policyViolation) }
        if principal.expiresAt <= gateway.clock.now() { return end(.tokenEnded) }
        guard now >= nextBeat else { return }
        if now - lastHeard > heartbeat * 2 { return end(.noHeartbeat) }
        if (now - lastHeard).nanoseconds > heartbeat.nanoseconds / 2 { socket?.ping() }
        beat(from: now)
    }

    /// The next heartbeat, a fifth sooner or later so that connections that came together do not beat together.
    func beat(from now: NIODeadline) {
        let spread = Int64(gateway.random.next() % 401) - 200
        nextBeat = now + .nanoseconds(heartbeat.nanoseconds / 1_000 * (1_000 + spread))
    }

    /// Closes the connection with a code. From any thread.
    func end(_ code: CloseCode) {
        if code == .tokenEnded { isRevoked.store(true, ordering: .releasing) }
        guard let queue = queue(endingWith: code) else { return }
        guard queue.eventLoop.inEventLoop else { return queue.eventLoop.execute { self.end(code) } }
        guard !isEnding else { return }
        flushIfNeeded()
        isEnding = true
        // Who may not go on has nothing done any more. What others sent before they left is done.
        if code == .tokenEnded { order.removeAll() }
        gateway.metrics.ended(code)
        socket?.close(code: code.rawValue, reason: code.reason)
    }

    /// Says when to come back, and closes. On the loop.
    func sayGoodbye(afterSeconds seconds: Int) {
        guard !isEnding else { return }
        write(
            Frame.bytes("bye") { writer in
                writer.field("after_seconds", seconds)
                writer.field("reason", "restart")
            }, isNumbered: false)
        flushIfNeeded()
        end(.restart)
    }

    /// Closes without a word. On the loop.
    func abort() { socket?.abort() }
}
