import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Synchronization

/// Posts to one URL. Follows no redirect, waits at most ten seconds, reads only the beginning of the answer.
final class WebhookClient: AlertPosting {
    private static let patience = TimeAmount.seconds(10)
    private static let answerLimit = 65_536

    private let url: String
    /// Created with the first post, because a client must be shut down and a server that never runs does not do that.
    private let client = Mutex<HTTPClient?>(nil)

    init(url: String) { self.url = url }

    func post(_ body: [UInt8]) async throws -> AlertAnswer {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "User-Agent", value: "spark")
        request.body = .bytes(body)
        let response = try await opened().execute(request, timeout: Self.patience)
        // Read to the end, so that the connection can be reused. A longer answer closes the connection.
        _ = try? await response.body.collect(upTo: Self.answerLimit)
        // Only the form in seconds; a date would need synchronized clocks.
        let seconds = response.headers.first(name: "Retry-After").flatMap { Int($0) }
        let isPause = response.status == .tooManyRequests || response.status == .serviceUnavailable
        return AlertAnswer(
            status: Int(response.status.code),
            retryAfter: isPause ? seconds.map { .seconds(min(max($0, 0), 86_400)) } : nil)
    }

    func close() async { try? await client.withLock { $0.take() }?.shutdown() }

    private func opened() -> HTTPClient {
        client.withLock { client in
            if let client { return client }
            var configuration = HTTPClient.Configuration()
            configuration.redirectConfiguration = .disallow
            configuration.timeout = .init(connect: .seconds(5), read: Self.patience)
            configuration.httpVersion = .http1Only
            let opened = HTTPClient(configuration: configuration)
            client = opened
            return opened
        }
    }
}
