import NIOCore
import NIOHTTP1
import SparkCore
import SparkKit

/// Sends to browsers through the push service that each browser names (RFC 8030, 8291, 8292). Needs no account with a provider.
final class WebPushProvider: PushProvider {
    /// Messages are padded to this length, so that it reveals nothing to the push service. Longer data is padded to the maximum.
    private static let shownLength = 2_048
    /// Four weeks; services shorten longer lifetimes.
    private static let longestLife: Int64 = 2_419_200

    private let policy: EndpointPolicy
    private let subject: String
    private let tokens: VAPIDTokens?
    private let resolver: HostResolver
    private let connections: PinnedConnections
    private let clock: any WallClock
    let applicationServerKey: String?

    init(
        _ settings: PushProviderSettings, key: VAPIDKey?, roots: TrustedRoots, clock: any WallClock,
        resolver: HostResolver = HostResolver()
    ) {
        self.policy = EndpointPolicy(settings)
        self.subject = settings.webPushSubject
        self.tokens = key.map { VAPIDTokens($0, subject: settings.webPushSubject, clock: clock) }
        self.resolver = resolver
        self.connections = PinnedConnections(roots: roots)
        self.clock = clock
        self.applicationServerKey = key?.publicText
    }

    func send(_ notification: PushNotification, deadline: Duration) async -> PushOutcome {
        if let fault = subjectFault { return .misconfigured(reason: fault) }
        guard let tokens else { return .misconfigured(reason: "no key pair can be made from the server's secret") }
        guard case .success(let endpoint) = policy.endpoint(of: notification.target.token) else {
            return .refused(reason: "endpoint not allowed")
        }
        guard let text = Self.text(of: notification) else { return .refused(reason: "message too large") }
        let length = text.count <= Self.shownLength ? Self.shownLength : WebPushMessage.longestText
        let target = notification.target
        guard
            let message = try? WebPushMessage(text, paddedTo: length, publicKey: target.publicKey, secret: target.secret)
        else { return .refused(reason: "subscription keys not usable") }
        do {
            let headers = headers(of: notification, try await tokens.header(for: endpoint.origin))
            return try await within(deadline) {
                try await self.post(ProviderRequest(url: endpoint.url, headers: headers, body: message.body), endpoint, deadline)
            }
        } catch {
            return ProviderTrouble(error).outcome
        }
    }

    /// A pause concerns only the push service that asked for it.
    func pauseScope(of target: PushTarget, reason: String?) -> PauseScope {
        guard case .success(let endpoint) = policy.endpoint(of: target.token) else { return .delivery }
        return .place(endpoint.origin)
    }

    func fault() async -> String? { subjectFault }

    func shutDown() async {
        resolver.shutDown()
        await connections.shutDown()
    }

    private var subjectFault: String? {
        subject.isEmpty || subject.hasPrefix("mailto:") || subject.hasPrefix("https:")
            ? nil : "push.webpush_subject: mailto:… or https://… is needed"
    }

    /// Every address of the host must be public: one private address is enough to refuse the host.
    private func post(
        _ request: ProviderRequest, _ endpoint: WebPushEndpoint, _ limit: Duration
    ) async throws -> PushOutcome {
        let budget = TimeBudget(limit)
        let addresses = await resolver.addresses(of: endpoint.host)
        guard !addresses.isEmpty else { return .later(reason: "host not found", after: nil) }
        guard policy.allowsPrivate || addresses.allSatisfy(PublicAddress.isPublic) else {
            return .refused(reason: "endpoint's address not public")
        }
        let answer = try await connections.exchange(
            request, host: endpoint.host, addresses: addresses.compactMap(\.ipAddress), within: budget.remaining)
        return Self.outcome(answer, clock.now())
    }

    private func headers(of notification: PushNotification, _ authorization: String) -> HTTPHeaders {
        let life = min(max(0, (notification.expiresAt - clock.now()).milliseconds / 1_000), Self.longestLife)
        var headers: HTTPHeaders = [
            "authorization": authorization, "content-encoding": "aes128gcm", "content-type": "application/octet-stream",
            "ttl": String(life), "urgency": Self.urgency(notification),
        ]
        if !notification.collapseID.isEmpty { headers.add(name: "topic", value: notification.collapseID) }
        return headers
    }

    /// The `Urgency` header (RFC 8030, section 5.3).
    private static func urgency(_ notification: PushNotification) -> String {
        switch notification.priority {
        case .high: "high"
        case .medium: notification.isQuiet ? "low" : "normal"
        case .low: "low"
        }
    }

    /// The JSON for the app's service worker.
    private static func text(of notification: PushNotification) -> [UInt8]? {
        func fit(_ limit: Int) -> [UInt8]? {
            FittedText.fit(title: notification.title, body: notification.body, limit: limit) { title, body in
                var writer = JSONWriter(capacity: 512)
                writer.object { writer in
                    writer.field("title", title)
                    writer.field("body", body)
                    if let badge = notification.badge { writer.field("badge", max(0, badge)) }
                    writer.field("tag", notification.collapseID)
                    writer.field("silent", notification.isQuiet)
                    writer.key("data")
                    writer.object { data in
                        for (name, value) in notification.data { data.field(name, value) }
                    }
                }
                return writer.bytes
            }
        }
        return fit(shownLength) ?? fit(WebPushMessage.longestText)
    }

    private static func outcome(_ answer: ProviderAnswer, _ now: Timestamp) -> PushOutcome {
        switch answer.status {
        case 200..<300: .accepted
        case 404, 410: .gone(reason: "\(answer.status)", since: nil)
        case 413: .refused(reason: "413")
        // A refused signature: the subscription has another key pair, unless the clocks differ.
        case 401, 403:
            answer.contradicts(now)
                ? .misconfigured(reason: "the push service's clock differs from the server's")
                : .refused(reason: "\(answer.status)")
        case 408, 429: .later(reason: "\(answer.status)", after: answer.retryAfter(now))
        case 300..<500: .refused(reason: "\(answer.status)")
        default: .later(reason: "\(answer.status)", after: answer.retryAfter(now))
        }
    }
}
