import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1
import SparkCore
import SparkKit
import Synchronization

/// The paths that accept upgrades to other protocols, and their routes.
struct UpgradeGateway: Sendable {
    /// Filled once the server knows its modules; connections may exist before.
    private final class Table: Sendable {
        let routes: Mutex<[String: any UpgradeRoute]>

        init(_ routes: [any UpgradeRoute]) {
            self.routes = Mutex(Dictionary(uniqueKeysWithValues: routes.map { ($0.path, $0) }))
        }
    }

    private let table: Table
    private let trustedProxies: TrustedProxies
    private let random: any RandomSource
    private let limiter: RateLimiter?
    private let metrics: EdgeMetrics?
    private let logger: Logger
    /// How long a route may take to decide.
    let patience: TimeAmount
    private let startGate: StartGate?

    /// - Parameters:
    ///   - routes: have distinct paths.
    ///   - limiter: charged for refused upgrades; nil for no limit.
    ///   - metrics: counts each upgrade, and logs it when its connection ends; nil for neither.
    init(
        routes: [any UpgradeRoute], trustedProxies: TrustedProxies, random: any RandomSource, logger: Logger, patience: Duration,
        limiter: RateLimiter? = nil, metrics: EdgeMetrics? = nil, startGate: StartGate? = nil
    ) {
        self.table = Table(routes)
        self.trustedProxies = trustedProxies
        self.random = random
        self.limiter = limiter
        self.metrics = metrics
        self.logger = logger
        self.patience = .nanoseconds(patience.milliseconds * 1_000_000)
        self.startGate = startGate
    }

    /// Adds routes. Their paths must differ from the existing ones.
    func add(_ routes: [any UpgradeRoute]) {
        table.routes.withLock { table in
            for route in routes { table[route.path] = route }
        }
    }

    /// The same gateway without any path.
    var closed: UpgradeGateway {
        UpgradeGateway(
            routes: [], trustedProxies: trustedProxies, random: random, logger: logger,
            patience: .nanoseconds(patience.nanoseconds))
    }

    /// Whether upgrades are handled yet.
    var isOpen: Bool { startGate?.isOpen ?? true }

    /// The route that handles a request head; nil for ordinary requests.
    func route(of head: HTTPRequestHead) -> (any UpgradeRoute)? {
        guard head.method == .GET, let route = table.routes.withLock({ $0[String(head.uri.prefix { $0 != "?" })] }),
            route.isOffered(by: head)
        else { return nil }
        return route
    }

    /// The request as the route sees it.
    func request(_ head: HTTPRequestHead, peer: NetworkAddress?) -> UpgradeRequest {
        UpgradeRequest(
            query: RequestTarget(head.uri).firstValues, headers: HTTPFields(modular: head.headers),
            peerAddress: ClientAddress.of(peer: peer, headers: head.headers, trustedProxies: trustedProxies)?.text ?? "",
            host: head.headers.first(name: "Host"))
    }

    /// The client's network, as limits count it.
    func network(of head: HTTPRequestHead, peer: NetworkAddress?) -> String {
        guard let peer, trustedProxies.contains(peer) else { return peer.networkName }
        return trustedProxies.client(of: peer, forwardedFor: head.headers["X-Forwarded-For"]).networkText
    }

    /// The client's request id for an upgrade, or a new one; used in logs and responses.
    func requestID(of head: HTTPRequestHead) -> String {
        let given = head.headers["X-Request-Id"]
        return RequestID.given(given.count == 1 ? given[0] : nil) ?? RequestID.fresh(random)
    }

    /// The response to a refused upgrade, which is charged to the client's network. An error that is not a `ClientError` is
    /// logged.
    func refusal(_ error: any Error, path: String, requestID: String, address: String) -> Reply {
        var known = error as? any ClientError
        if known == nil {
            logger.error(
                "upgrade failed",
                metadata: [
                    "request_id": .string(requestID), "route": .string(path), "error": .string(ErrorSummary.of(error)),
                ])
        }
        if let wait = limiter?.admit(.at(NetworkAddress(address)), .read)?.retryAfter { known = EdgeError.rateLimited(wait) }
        return ProblemDocument(error: known ?? InternalFault(), requestID: requestID).reply
    }

    /// Counts and logs an answer to an upgrade.
    func note(_ status: Int, path: String, requestID: String, bytes: Int, since start: ContinuousClock.Instant) {
        metrics?.row(path).note("GET", status, bytes: bytes, requestID: requestID, after: ContinuousClock.now - start)
    }

    /// Counts an upgrade that was accepted. It is logged when its connection ends.
    func noteUpgrade(path: String, requestID: String, since start: ContinuousClock.Instant, of channel: any Channel) {
        guard let metrics else { return }
        metrics.row(path).note(
            "GET", 101, bytes: 0, requestID: requestID, after: ContinuousClock.now - start, isLogged: false)
        guard let accessLog = metrics.accessLog else { return }
        channel.closeFuture.whenComplete { _ in accessLog.note("GET", path, 101, 0, requestID, since: start) }
    }

    /// Routes for plain requests to these paths, and for upgrades that come too late on their connection.
    func fallbacks(besides rows: [Route]) -> [Route] {
        let taken = Set(rows.lazy.filter { $0.method == .get }.map(\.path))
        let routes = table.routes.withLock { $0.values.sorted { $0.path < $1.path } }
        return routes.filter { !taken.contains($0.path) }.map { route in
            Route(.get, route.path, route.summary, access: .open, rateLimit: .probe, isBatchable: false) { _ in
                throw route.missingUpgrade
            }
        }
    }
}
