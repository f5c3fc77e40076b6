import NIOHTTP1
import SparkCore
import SparkKit
import Synchronization

/// Apple's push service (Apple: "Sending notification requests to APNs"): HTTP/2, one token for all connections.
final class APNsProvider: PushProvider {
    private let settings: PushProviderSettings
    private let clock: any WallClock
    private let tokens: APNsTokens
    private let production: APNsRoad
    private let sandbox: APNsRoad
    /// Whether a push with this topic was ever accepted. Only then "not for topic" concerns the device and not the setting.
    private let topicIsProven = Atomic(false)

    init(_ settings: PushProviderSettings, tokenFile: SealedFile?, roots: TrustedRoots, clock: any WallClock) {
        self.settings = settings
        self.clock = clock
        self.tokens = APNsTokens(settings, file: tokenFile, clock: clock)
        let other = settings.apnsURL
        self.production = APNsRoad(url: other.isEmpty ? "https://api.push.apple.com" : other, roots: roots)
        self.sandbox = other.isEmpty ? APNsRoad(url: "https://api.sandbox.push.apple.com", roots: roots) : production
    }

    func send(_ notification: PushNotification, deadline: Duration) async -> PushOutcome {
        guard settings.apnsURL.isEmpty || settings.apnsURL.hasPrefix("https://") else {
            return .misconfigured(reason: "push.apns_url: an https URL is needed")
        }
        guard !settings.apnsTopic.isEmpty else { return .misconfigured(reason: "push.apns_topic is not set") }
        guard let payload = APNsPayload.bytes(of: notification) else { return .refused(reason: "PayloadTooLarge") }
        let budget = TimeBudget(deadline)
        do {
            let token = try await tokens.current()
            let outcome = try await attempt(notification, payload, token, budget)
            guard case .misconfigured("ExpiredProviderToken") = outcome, let next = try await tokens.renewed(after: token) else {
                return explained(outcome)
            }
            return explained(try await attempt(notification, payload, next, budget))
        } catch {
            return ProviderTrouble(error).outcome
        }
    }

    /// Apple: "The server received too many requests for the same device token."
    func pauseScope(of target: PushTarget, reason: String?) -> PauseScope {
        reason == "TooManyRequests" ? .delivery : .provider
    }

    func fault() async -> String? {
        if settings.apnsTopic.isEmpty { return "push.apns_topic is not set" }
        return await tokens.fault()
    }

    func shutDown() async {
        await production.connections.shutDown()
        await sandbox.connections.shutDown()
    }

    /// Sends one request. It is alone on its connection until a request there has proven the token.
    private func attempt(
        _ notification: PushNotification, _ payload: [UInt8], _ token: APNsToken, _ budget: TimeBudget
    ) async throws -> PushOutcome {
        let road = notification.target.isSandbox ? sandbox : production
        let request = ProviderRequest(
            url: "\(road.url)/3/device/\(notification.target.token.lowercased())", headers: headers(of: notification, token.text),
            body: payload)
        let answer = try await road.exchange(request, budget)
        if answer.status == 200 { topicIsProven.store(true, ordering: .relaxed) }
        let isProven = topicIsProven.load(ordering: .relaxed)
        return APNsVerdict(answer, now: clock.now(), topicIsProven: isProven).outcome
    }

    private func headers(of notification: PushNotification, _ token: String) -> HTTPHeaders {
        let isBackground = APNsPayload.isBackground(notification)
        var headers: HTTPHeaders = [
            "authorization": "bearer \(token)",
            "apns-id": notification.id,
            "apns-topic": settings.apnsTopic,
            "apns-push-type": isBackground ? "background" : "alert",
            "apns-priority": APNsPayload.priority(of: notification),
            "apns-expiration": String(max(0, notification.expiresAt.milliseconds / 1_000)),
            "content-type": "application/json",
        ]
        if !notification.collapseID.isEmpty { headers.add(name: "apns-collapse-id", value: notification.collapseID) }
        return headers
    }

    /// Adds an explanation for the operator. Apple's reason code comes first, so that it can be looked up.
    private func explained(_ outcome: PushOutcome) -> PushOutcome {
        guard case .misconfigured(let reason) = outcome else { return outcome }
        switch reason {
        case "ExpiredProviderToken":
            return .misconfigured(reason: "ExpiredProviderToken: a fresh token counts as too old; is the server's clock right?")
        case "InvalidProviderToken":
            return .misconfigured(
                reason: "InvalidProviderToken: push.apns_key_file, apns_key_id and apns_team_id do not go together; "
                    + "or the server's clock is ahead")
        default: return outcome
        }
    }
}

/// The connections to one of Apple's two environments.
private struct APNsRoad: Sendable {
    let url: String
    let gate: FirstRequestGate
    let connections: ProviderConnections

    init(url: String, roots: TrustedRoots) {
        let gate = FirstRequestGate()
        self.url = url
        self.gate = gate
        // A new connection has to prove the token again.
        self.connections = ProviderConnections(roots: roots, onClose: { gate.close() })
    }

    func exchange(_ request: ProviderRequest, _ budget: TimeBudget) async throws -> ProviderAnswer {
        if gate.isOpen { return try await connections.exchange(request, within: budget.remaining) }
        // One task enters and leaves the gate, so that a timeout cannot leave it occupied.
        return try await within(budget.remaining) {
            let entry = await gate.enter()
            var isProven = false
            defer { if entry == .first { gate.leave(isProven: isProven) } }
            let answer = try await connections.exchange(request, within: budget.remaining)
            isProven = (200..<500).contains(answer.status) && ![403, 429].contains(answer.status)
            return answer
        }
    }
}
