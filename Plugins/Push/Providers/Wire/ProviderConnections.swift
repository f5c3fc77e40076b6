import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import SparkCore
import Synchronization

/// One HTTP request to a provider. Always POST, as all providers require.
struct ProviderRequest: Sendable {
    let url: String
    let headers: HTTPHeaders
    let body: [UInt8]
}

/// The connections to one provider: opened at the first request, HTTP/2 if available, kept alive, without redirects.
actor ProviderConnections {
    /// Maximum bytes read of an answer. The longest error of a provider is a tenth of it.
    private static let longestAnswer = 65_536
    /// After this many timeouts in a row the connections are considered dead. Otherwise a connection whose peer has vanished
    /// would block all requests for a quarter of an hour.
    private static let toleratedTimeouts = 3

    /// How long an orderly close may take: a provider that hangs does not close its side.
    private static let patience = Duration.milliseconds(500)

    private let roots: TrustedRoots
    /// Host names and the addresses to use for them.
    private let addresses: [String: String]
    private let onClose: @Sendable () -> Void
    private let open = OpenChannels()
    private var opening: Task<HTTPClient, any Error>?
    private var hasEnded = false
    private var timeouts = 0

    /// - Parameter onClose: called whenever a connection has ended.
    init(roots: TrustedRoots, addresses: [String: String] = [:], onClose: @escaping @Sendable () -> Void = {}) {
        self.roots = roots
        self.addresses = addresses
        self.onClose = onClose
    }

    /// The HTTP client must be shut down before it is released.
    deinit {
        guard let opening else { return }
        Task { try? await opening.value.shutdown() }
    }

    /// Sends the request and reads the whole answer within the limit.
    func exchange(_ request: ProviderRequest, within limit: Duration) async throws(ProviderTrouble) -> ProviderAnswer {
        do {
            let client = try await client()
            let answer = try await SparkPush.within(limit) { try await Self.perform(request, on: client, within: limit) }
            timeouts = 0
            return answer
        } catch {
            let trouble = ProviderTrouble(error)
            noteTimeout(trouble)
            throw trouble
        }
    }

    /// Cancels the requests under way and returns within half a second.
    func shutDown() async {
        hasEnded = true
        let task = opening
        opening = nil
        guard let client = try? await task?.value else { return }
        let (ended, signal) = AsyncStream.makeStream(of: Void.self)
        Task {
            try? await client.shutdown()
            signal.finish()
        }
        try? await SparkPush.within(Self.patience) { for await _ in ended {} }
    }

    private func noteTimeout(_ trouble: ProviderTrouble) {
        guard trouble == .timeout else { return }
        timeouts += 1
        guard timeouts >= Self.toleratedTimeouts else { return }
        timeouts = 0
        open.closeAll()
    }

    /// The HTTP client, created once. A failure is not cached.
    private func client() async throws -> HTTPClient {
        guard !hasEnded else { throw ProviderTrouble.ended }
        if let opening { return try await opening.value }
        let (roots, addresses, open, onClose) = (roots, addresses, open, onClose)
        let task = Task { try await Self.makeClient(roots, addresses, open, onClose) }
        opening = task
        do {
            return try await task.value
        } catch {
            if opening == task { opening = nil }
            throw error
        }
    }

    private static func makeClient(
        _ roots: TrustedRoots, _ addresses: [String: String], _ open: OpenChannels, _ onClose: @escaping @Sendable () -> Void
    ) async throws -> HTTPClient {
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: try await roots.configuration(), redirectConfiguration: .disallow,
            timeout: .init(connect: .seconds(10)))
        // Providers ask for long-lived connections; Apple treats many short ones as an attack.
        configuration.connectionPool = .init(idleTimeout: .hours(1))
        // The caller has its own retry schedule.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.dnsOverride = addresses
        let watch: @Sendable (any Channel) -> EventLoopFuture<Void> = { channel in
            open.add(channel)
            channel.closeFuture.whenComplete { _ in
                open.remove(channel)
                onClose()
            }
            return channel.eventLoop.makeSucceededVoidFuture()
        }
        configuration.http1_1ConnectionDebugInitializer = watch
        configuration.http2ConnectionDebugInitializer = watch
        return HTTPClient(eventLoopGroup: MultiThreadedEventLoopGroup.singleton, configuration: configuration)
    }

    private static func perform(
        _ request: ProviderRequest, on client: HTTPClient, within limit: Duration
    ) async throws -> ProviderAnswer {
        var outgoing = HTTPClientRequest(url: request.url)
        outgoing.method = .POST
        outgoing.headers = request.headers
        outgoing.body = .bytes(request.body)
        let response = try await client.execute(outgoing, timeout: .milliseconds(limit.milliseconds))
        let body = try await response.body.collect(upTo: longestAnswer)
        return ProviderAnswer(
            status: Int(response.status.code), headers: response.headers, body: Array(body.readableBytesView))
    }
}

/// A client's open channels, so that dead ones can be closed. Holds as many as the client opens.
private final class OpenChannels: Sendable {
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])

    func add(_ channel: any Channel) { channels.withLock { $0[ObjectIdentifier(channel)] = channel } }

    func remove(_ channel: any Channel) { channels.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(channel)) } }

    func closeAll() {
        let all = channels.withLock { Array($0.values) }
        for channel in all { channel.close(promise: nil) }
    }
}
