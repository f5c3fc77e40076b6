import Crypto
import Foundation
import NIOHTTP1
import SparkCore
import SparkKit

/// Sends pushes through the operator's own sender: one signed request per push, after the Standard Webhooks specification
/// (headers `webhook-id`, `webhook-timestamp`, `webhook-signature`).
struct WebhookProvider: PushProvider {
    private let url: String
    private let key: SymmetricKey?
    private let clock: any WallClock
    private let connections: ProviderConnections

    init(_ settings: PushProviderSettings, roots: TrustedRoots, clock: any WallClock) {
        self.url = settings.webhookURL
        self.key = Self.key(settings.webhookSecret)
        self.clock = clock
        self.connections = ProviderConnections(roots: roots)
    }

    func send(_ notification: PushNotification, deadline: Duration) async -> PushOutcome {
        if let fault = configurationFault { return .misconfigured(reason: fault) }
        guard let key else { return .misconfigured(reason: "push.webhook_secret is not set") }
        let now = clock.now()
        let body = Self.body(of: notification, now)
        let seconds = String(now.milliseconds / 1_000)
        let signed = Array("\(notification.id).\(seconds).".utf8) + body
        let signature = Data(HMAC<SHA256>.authenticationCode(for: signed, using: key)).base64EncodedString()
        let headers: HTTPHeaders = [
            "content-type": "application/json", "webhook-id": notification.id, "webhook-timestamp": seconds,
            "webhook-signature": "v1,\(signature)",
        ]
        do throws(ProviderTrouble) {
            let answer = try await connections.exchange(
                ProviderRequest(url: url, headers: headers, body: body), within: deadline)
            return Self.outcome(answer, now)
        } catch {
            return error.outcome
        }
    }

    func fault() async -> String? { configurationFault }

    func shutDown() async { await connections.shutDown() }

    /// Unencrypted personal texts may only be sent to the same machine.
    private var configurationFault: String? {
        let isHere = ["localhost", "127.0.0.1", "[::1]"].contains { host in
            url == "http://\(host)" || ["/", ":"].contains { url.hasPrefix("http://\(host)\($0)") && !url.contains("@") }
        }
        if !url.hasPrefix("https://"), !isHere { return "push.webhook_url: an https URL is needed, or http on this machine" }
        if URL(string: url)?.host() == nil { return "push.webhook_url is not a URL" }
        return key == nil
            ? "push.webhook_secret: whsec_ with 24 to 64 bytes in base64, or 24 characters and more, are needed" : nil
    }

    /// Accepts `whsec_` and base64, as in the specification, or any text that is long enough.
    private static func key(_ secret: String) -> SymmetricKey? {
        if secret.hasPrefix("whsec_") {
            guard let data = Data(base64Encoded: String(secret.dropFirst(6))), (24...64).contains(data.count) else { return nil }
            return SymmetricKey(data: data)
        }
        return secret.utf8.count >= 24 ? SymmetricKey(data: Array(secret.utf8)) : nil
    }

    private static func outcome(_ answer: ProviderAnswer, _ now: Timestamp) -> PushOutcome {
        switch answer.status {
        case 200..<300: .accepted
        case 410: .gone(reason: "410", since: nil)
        case 401, 403: .misconfigured(reason: "the webhook refuses the signatures of push.webhook_secret (\(answer.status))")
        case 408, 425, 429: .later(reason: "\(answer.status)", after: answer.retryAfter(now))
        case 300..<500: .refused(reason: "\(answer.status)")
        default: .later(reason: "\(answer.status)", after: answer.retryAfter(now))
        }
    }

    private static func body(of notification: PushNotification, _ now: Timestamp) -> [UInt8] {
        var writer = JSONWriter(capacity: 1_024)
        writer.object { writer in
            writer.field("type", "push.requested")
            writer.field("timestamp", now)
            writer.key("data")
            writer.object { data in
                data.field("id", notification.id)
                data.field("provider", notification.target.service.wire)
                data.field("token", notification.target.token)
                data.field("sandbox", notification.target.isSandbox)
                data.field("title", notification.title)
                data.field("body", notification.body)
                if let badge = notification.badge { data.field("badge", badge) }
                data.field("collapse_id", notification.collapseID)
                data.field("thread", notification.thread)
                data.field("priority", notification.priority.wire)
                data.field("quiet", notification.isQuiet)
                data.field("expires_at", notification.expiresAt)
                data.key("data")
                data.object { members in
                    for (name, value) in notification.data { members.field(name, value) }
                }
            }
        }
        return writer.bytes
    }
}
