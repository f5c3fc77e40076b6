import SparkKit

/// The operator's settings for providers. All may be empty: Web Push and `log` need none.
struct PushProviderSettings: Sendable {
    /// The browsers' push services: Chrome and its derivatives, Firefox, Safari, Edge on Windows.
    static let knownWebPushHosts = [
        "fcm.googleapis.com", "*.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com",
    ]

    static let settings: [Setting] = [
        .text("apns_key_file", default: "", "Apple: file of the signing key (.p8); empty: no pushes to Apple's devices."),
        .text("apns_key_id", default: "", "Apple: the signing key's identifier, ten characters."),
        .text("apns_team_id", default: "", "Apple: the team's identifier, ten characters."),
        .text("apns_topic", default: "", "Apple: the app's bundle identifier."),
        .text("apns_url", default: "", "Apple: another server than Apple's own, for tests and proxies; https only."),
        .text(
            "fcm_credentials_file", default: "",
            "Google: JSON file of the service account; empty: no pushes through Firebase Cloud Messaging."),
        .text("fcm_url", default: "", "Google: another server than Google's own, for tests and proxies; https only."),
        .text(
            "webpush_subject", default: "",
            "Web Push: how push services reach the operator, mailto:… or https://…; some services insist on it."),
        .list(
            "webpush_hosts", default: knownWebPushHosts,
            "Web Push: hosts that browsers may name; *.example.org for all below, * for every public host.",
            fault: { $0 == "*" ? nil : HostName.patternFault($0) }),
        .boolean("webpush_allow_private", default: false, "Web Push: also hosts of private networks and other ports; for tests."),
        .text(
            "webhook_url", default: "",
            "Address that gets the pushes whose own provider is not set up; https, or http on this machine."),
        .text(
            "webhook_secret", default: "", "Signs the webhook's requests (HMAC-SHA256); whsec_… or 24 characters and more.",
            isSecret: true),
        .text("trusted_roots_file", default: "", "Further trusted certificates (PEM) for the way to the providers."),
    ]

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
        self.apnsURL = values.text("apns_url")
        self.fcmCredentialsFile = values.text("fcm_credentials_file")
        self.fcmURL = values.text("fcm_url")
        self.webPushSubject = values.text("webpush_subject")
        self.webPushHosts = values.list("webpush_hosts")
        self.webPushAllowsPrivate = values.boolean("webpush_allow_private")
        self.webhookURL = values.text("webhook_url")
        self.webhookSecret = values.text("webhook_secret")
        self.trustedRootsFile = values.text("trusted_roots_file")
    }
}
