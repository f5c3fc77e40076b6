import NIOCore

/// The body of a request while it arrives from a connection. The connection's event loop alone uses it: the handler adds the bytes
/// there, and the request's task, which prefers the loop's executor, reads them there.
final class ArrivingBody: @unchecked Sendable {  // confined to the connection's event loop
    private enum State {
        case arriving
        case complete
        case failed(any Error)
    }

    private let eventLoop: any EventLoop
    private let maximum: Int
    private var state: State
    private var bytes: [UInt8] = []
    private var count = 0
    private var reader: CheckedContinuation<Void, any Error>?
    /// The longest body that the reader accepts.
    private var limit: Int
    private let whenWanted: () -> Void
    /// For how long the request waited for the client.
    private(set) var waited = Duration.zero
    /// Whether somebody reads the body, or has read it.
    private(set) var isWanted = false

    /// - Parameters:
    ///   - maximum: nothing is kept of a longer body.
    ///   - isComplete: whether the request has no body.
    ///   - whenWanted: called when somebody begins to wait for the body.
    init(on eventLoop: any EventLoop, maximum: Int, isComplete: Bool, whenWanted: @escaping () -> Void) {
        self.eventLoop = eventLoop
        self.maximum = maximum
        self.limit = maximum
        self.state = isComplete ? .complete : .arriving
        self.whenWanted = whenWanted
    }

    var isComplete: Bool { if case .complete = state { true } else { false } }

    /// The bytes that have arrived.
    var received: Int { count }

    /// Whether so many more bytes would be kept.
    func keeps(_ more: Int) -> Bool { more <= limit - min(count, limit) }

    func received(_ buffer: ByteBuffer) {
        count += min(buffer.readableBytes, .max - count)
        guard count <= limit else {
            bytes = []
            // The reader learns at once that the body is too long, not when it ends.
            takeReader()?.resume()
            return
        }
        bytes.append(contentsOf: buffer.readableBytesView)
    }

    func end() {
        guard case .arriving = state else { return }
        state = .complete
        takeReader()?.resume()
    }

    /// The body stays incomplete.
    func fail(_ error: any Error) {
        guard case .arriving = state else { return }
        state = .failed(error)
        takeReader()?.resume(throwing: error)
    }

    /// The whole body. Returns once it has arrived.
    /// - Parameter limit: a longer body is refused as soon as it is known to be longer.
    /// - Throws: `tooLong`, or why the body stays incomplete.
    func collect(upTo limit: Int, tooLong: any Error) async throws -> [UInt8] {
        eventLoop.assertInEventLoop()
        self.limit = min(limit, maximum)
        while count <= self.limit {
            switch state {
            case .complete: return bytes
            case .failed(let error): throw error
            case .arriving where !isWanted:
                isWanted = true
                // What this sends may end the connection, and with it the body, before this returns.
                whenWanted()
            case .arriving:
                let begin = ContinuousClock.now
                defer { waited += .now - begin }
                try await withCheckedThrowingContinuation { reader = $0 }
            }
        }
        throw tooLong
    }

    private func takeReader() -> CheckedContinuation<Void, any Error>? {
        defer { reader = nil }
        return reader
    }
}
