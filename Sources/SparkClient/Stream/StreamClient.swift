import NIOCore
import NIOPosix
public import NIOSSL
public import SparkCore
import Synchronization

/// A client of the stream `spark.v1` for one device: sends frames, and returns the server's frames in order.
///
/// It has no state besides the connection. The app remembers which events it has seen and which frames it must still send. It
/// reports the former in `hello` and resends frames that were not acknowledged.
public final class StreamClient: Sendable {
    /// The most received frames that may wait to be read. If there are more, the client closes the connection.
    private static let capacity = 100_000

    /// The end of a connection.
    public struct Closed: Error, Hashable {
        /// The close code (RFC 6455, section 7.4); nil if the connection broke.
        public let code: UInt16?

        /// Creates the error.
        public init(code: UInt16?) { self.code = code }
    }

    /// The server answered with this status instead of opening a WebSocket.
    public struct Refused: Error, Hashable {
        /// The HTTP status.
        public let status: Int

        /// Creates the error.
        public init(status: Int) { self.status = status }
    }

    private struct State {
        var waiting: [JSONValue] = []
        var reader: CheckedContinuation<JSONValue, any Error>?
        var end: Closed?
    }

    private let state = Mutex(State())
    private let eventLoop: any EventLoop
    private let socket: NIOLoopBoundBox<WebSocketClient?>

    private init(on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.socket = NIOLoopBoundBox.makeEmptyBox(eventLoop: eventLoop)
    }

    /// Connects. The first frame to send is `hello`.
    /// - Parameters:
    ///   - server: The server; its token is used if neither `token` nor `ticket` is given.
    ///   - token: An access token.
    ///   - ticket: A one-use ticket, used instead of a token.
    ///   - source: The local address to connect from; nil means any.
    ///   - tls: What is trusted where the server's URL is https; nil for the system's roots.
    /// - Throws: `Refused`, `Closed`, or the transport's error.
    public static func connect(
        to server: SparkClient, token: String? = nil, ticket: String? = nil, source: String? = nil,
        tls: TLSConfiguration? = nil
    ) async throws -> StreamClient {
        let address = ServerAddress(server.url)
        let trust = address.isSecure ? try await trust(tls) : nil
        var headers: [(String, String)] = []
        if let token = token ?? server.token, ticket == nil { headers.append(("Authorization", "Bearer \(token)")) }
        let path = "/api/v1/ws" + (ticket.map { "?ticket=\($0)" } ?? "")
        let target = WebSocketClient.Target(
            host: address.host, port: address.port, path: path, headers: headers, subprotocol: "spark.v1", source: source,
            tls: trust)
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let client = StreamClient(on: eventLoop)
        let opened = eventLoop.makePromise(of: Void.self)
        WebSocketClient.connect(to: target, on: eventLoop) {
            var events = WebSocketClient.Events()
            events.opened = { socket in
                client.socket.value = socket
                opened.succeed()
            }
            events.text = { _, text in client.took(text) }
            events.closed = { _, code in
                client.socket.value = nil
                client.ended(Closed(code: code))
            }
            events.refused = { opened.fail(Refused(status: Int($0))) }
            return events
        }.whenComplete { result in
            switch result {
            case .failure(let error): opened.fail(error)
            case .success(let channel): channel.closeFuture.whenComplete { _ in opened.fail(Closed(code: nil)) }
            }
        }
        try await opened.futureResult.get()
        return client
    }

    /// Reading the system's roots blocks.
    private static func trust(_ configuration: TLSConfiguration?) async throws -> NIOSSLContext {
        try await NIOThreadPool.singleton.runIfActive {
            if let configuration { return try NIOSSLContext(configuration: configuration) }
            return try systemTrust.get()
        }
    }

    private static let systemTrust = Result { try NIOSSLContext(configuration: .makeClientConfiguration()) }

    /// Sends a frame. Frames of one task are sent in the order of its calls. Returns at once.
    public func send(_ frame: JSONValue) {
        let bytes = JSONWriter.bytes(of: frame)
        eventLoop.execute { self.socket.value?.send(ByteBuffer(bytes: bytes)) }
    }

    /// The next frame from the server. Only one task may wait at a time. Cancelling it closes the connection.
    /// - Throws: `Closed` when the connection has ended and all earlier frames were read.
    public func next() async throws -> JSONValue {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Result<JSONValue, any Error>? = state.withLock { state in
                    if !state.waiting.isEmpty { return .success(state.waiting.removeFirst()) }
                    if let end = state.end { return .failure(end) }
                    state.reader = continuation
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            abort()
        }
    }

    /// The next frame of a type. Skips other frames before it.
    /// - Throws: `Closed` when the connection has ended.
    public func next(_ type: String) async throws -> JSONValue {
        while true {
            let frame = try await next()
            if frame["type"]?.string == type { return frame }
        }
    }

    /// Pauses or resumes reading from the socket.
    public func setReading(_ isReading: Bool) { eventLoop.execute { self.socket.value?.setReading(isReading) } }

    /// Closes the connection with a closing handshake.
    public func close() { eventLoop.execute { self.socket.value?.close() } }

    /// Closes the connection without a handshake.
    public func abort() { eventLoop.execute { self.socket.value?.abort() } }

    private func took(_ text: ByteBuffer) {
        guard let frame = try? JSONParser.parse(Array(text.readableBytesView)) else { return }
        let (reader, isFull) = state.withLock { state in
            if let reader = state.reader {
                state.reader = nil
                return (Optional(reader), false)
            }
            state.waiting.append(frame)
            return (nil, state.waiting.count > Self.capacity)
        }
        reader?.resume(returning: frame)
        if isFull { socket.value?.abort() }
    }

    private func ended(_ end: Closed) {
        let reader = state.withLock { state in
            state.end = end
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(throwing: end)
    }
}
