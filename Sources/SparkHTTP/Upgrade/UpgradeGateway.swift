import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1
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
    private let accessLog: AccessLog?
    private let logger: Logger
    /// How long a route may take to decide.
    let patience: TimeAmount
    private let startGate: StartGate?

    /// - Parameters:
    ///   - routes: have distinct paths.
    ///   - limiter: charged for refused upgrades; nil for no limit.
    ///   - accessLog: notes each upgrade when its connection ends; nil for no log.
    init(
        routes: [any UpgradeRoute], trustedProxies: TrustedProxies, random: any RandomSource, logger: Logger, patience: Duration,
        limiter: RateLimiter? = nil, accessLog: AccessLog? = nil, startGate: StartGate? = nil
    ) {
        self.table = Table(routes)
        self.trustedProxies = trustedProxies
        self.random = random
        self.limiter = limiter
        self.accessLog = accessLog
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
        let headers = HTTPFields(head.headers, splitCookie: false)
        let parameters = URI(head.uri).queryParameters.map { (String($0.key), String($0.value)) }
        return UpgradeRequest(
            query: Dictionary(parameters) { first, _ in first }, headers: headers,
            peerAddress: ClientAddress.of(peer: peer, headers: headers, trustedProxies: trustedProxies)?.text ?? "",
            host: head.headers.first(name: "Host"))
    }

    /// The client's network, as limits count it.
    func network(of head: HTTPRequestHead, peer: NetworkAddress?) -> String {
        guard let peer, trustedProxies.contains(peer) else { return peer.networkName }
        return trustedProxies.client(of: peer, forwardedFor: head.headers["X-Forwarded-For"]).networkText
    }

    /// A new request id for an upgrade, used in logs and responses.
    func nextRequestID() -> String {
        let digits = String(random.next(), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
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
        var reply = ProblemDocument(error: known ?? InternalFault(), requestID: requestID).reply
        reply.headers[.requestID] = requestID
        reply.headers[.cacheControl] = "private, no-store"
        return reply
    }

    var hasAccessLog: Bool { accessLog != nil }

    /// Notes an upgrade in the access log once its connection or its response is over.
    func note(_ status: Int, path: String, requestID: String, bytes: Int = 0, since start: ContinuousClock.Instant) {
        accessLog?.note("GET", path, status, bytes, requestID, since: start)
    }

    /// Routes for plain requests to these paths, and for upgrades that come too late on their connection.
    func fallbacks(besides rows: [Route]) -> [Route] {
        let taken = Set(rows.lazy.filter { $0.method == .get }.map(\.path))
        let routes = table.routes.withLock { $0.values.sorted { $0.path < $1.path } }
        return routes.filter { !taken.contains($0.path) }.map { route in
            Route(.get, route.path, route.summary, access: .open, rateLimit: .probe) { _ in throw route.missingUpgrade }
        }
    }
}
