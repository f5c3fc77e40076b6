import SparkKit

/// The operator's settings for providers. All may be empty: Web Push and `log` need none.
struct PushProviderSettings: Sendable {
    /// The browsers' push services: Chrome and its derivatives, Firefox, Safari, Edge on Windows.
    private static let knownWebPushHosts = [
        "fcm.googleapis.com", "*.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com",
    ]

    static let settings: [Setting] = [
        .file(
            "apns_key_file", atMost: ProviderFile.largest,
            "Apple: file of the signing key (.p8); empty: no pushes to Apple's devices."),
        .text("apns_key_id", default: "", "Apple: the signing key's identifier, ten characters."),
        .text("apns_team_id", default: "", "Apple: the team's identifier, ten characters."),
        .text("apns_topic", default: "", "Apple: the app's bundle identifier."),
        .text(
            "apns_url", default: "", "Apple: another server than Apple's own, for tests and proxies; https only.",
            fault: providerFault),
        .file(
            "fcm_credentials_file", atMost: ProviderFile.largest,
            "Google: JSON file of the service account; empty: no pushes through Firebase Cloud Messaging."),
        .text(
            "fcm_url", default: "", "Google: another server than Google's own, for tests and proxies; https only.",
            fault: providerFault),
        .text(
            "webpush_subject", default: "",
            "Web Push: how push services reach the operator, mailto:… or https://…; some services insist on it.",
            fault: subjectFault),
        .list(
            "webpush_hosts", default: knownWebPushHosts,
            "Web Push: hosts that browsers may name; *.example.org for all below, * for every public host.",
            fault: { $0 == "*" ? nil : HostName.patternFault($0) }),
        .boolean("webpush_allow_private", default: false, "Web Push: also hosts of private networks and other ports; for tests."),
        .text(
            "webhook_url", default: "",
            "Address that gets the pushes whose own provider is not set up; https, or http on this machine.",
            fault: { $0.isEmpty ? nil : WebAddress.fault($0, schemes: ["https"], isHTTPLocal: true) }),
        .text(
            "webhook_secret", default: "", "Signs the webhook's requests (HMAC-SHA256); whsec_… or 24 characters and more.",
            isSecret: true),
        .file(
            "trusted_roots_file", atMost: ProviderFile.largest, "Further trusted certificates (PEM) for the way to the providers."
        ),
    ]

    private static let providerFault: @Sendable (String) -> String? = {
        $0.isEmpty ? nil : WebAddress.fault($0, schemes: ["https"], tail: .prefix)
    }

    private static let subjectFault: @Sendable (String) -> String? = { subject in
        if subject.isEmpty { return nil }
        if subject.hasPrefix("https:") { return WebAddress.fault(subject, schemes: ["https"]) }
        let address = subject.dropFirst("mailto:".count)
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        guard subject.hasPrefix("mailto:"), parts.count == 2, !parts[0].isEmpty, HostName.fault(usual: parts[1]) == nil,
            address.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return "expected mailto:operator@example.org or https://example.org" }
        return nil
    }

    let apnsKeyFile: String
    let apnsKeyID: String
    let apnsTeamID: String
    let apnsTopic: String
    let apnsURL: String
    let fcmCredentialsFile: String
    let fcmURL: String
    let webPushSubject: String
    let webPushHosts: [String]
    let webPushAllowsPrivate: Bool
    let webhookURL: String
    let webhookSecret: String
    let trustedRootsFile: String

    init(_ values: SettingValues) {
        self.apnsKeyFile = values.text("apns_key_file")
        self.apnsKeyID = values.text("apns_key_id")
        self.apnsTeamID = values.text("apns_team_id")
        self.apnsTopic = values.text("apns_topic")
        self.apnsURL = Self.withoutSlash(values.text("apns_url"))
        self.fcmCredentialsFile = values.text("fcm_credentials_file")
        self.fcmURL = Self.withoutSlash(values.text("fcm_url"))
        self.webPushSubject = values.text("webpush_subject")
        self.webPushHosts = values.list("webpush_hosts")
        self.webPushAllowsPrivate = values.boolean("webpush_allow_private")
        self.webhookURL = values.text("webhook_url")
        self.webhookSecret = values.text("webhook_secret")
        self.trustedRootsFile = values.text("trusted_roots_file")
    }

    /// The platforms that the operator has configured, in part or whole.
    var configured: [PushPlatform] {
        var services: [PushPlatform] = [.webpush]
        if !apnsKeyFile.isEmpty || !webhookURL.isEmpty { services.append(.apns) }
        if !fcmCredentialsFile.isEmpty || !webhookURL.isEmpty { services.append(.fcm) }
        return services
    }

    /// Whether the operator has set anything about Web Push, which works without.
    var hasOwnWebPush: Bool {
        !webPushSubject.isEmpty || webPushAllowsPrivate || !trustedRootsFile.isEmpty || webPushHosts != Self.knownWebPushHosts
    }

    /// Paths are appended to the address.
    private static func withoutSlash(_ url: String) -> String { url.hasSuffix("/") ? String(url.dropLast()) : url }
}
