import SparkCore
import SparkKit

/// Who sends for which service.
struct PushProviderTable: Sendable {
    private let apns: any PushProvider
    private let fcm: any PushProvider
    private let webPush: WebPushProvider
    private let log: any PushProvider
    private let roots: TrustedRoots

    /// What browsers subscribe with: the public key on P-256, uncompressed, in base64url (RFC 8292, section 3.2).
    var applicationServerKey: String? { webPush.applicationServerKey }

    subscript(service: PushPlatform) -> any PushProvider {
        switch service {
        case .apns: apns
        case .fcm: fcm
        case .webpush: webPush
        case .log: log
        }
    }

    /// What keeps a service from being sent to, as far as can be seen from here; in one line for the operator.
    func fault(of service: PushPlatform) async -> String? {
        if service != .log, let fault = await roots.fault() { return fault }
        return await self[service].fault()
    }

    /// Ends all connections; what is under way comes back as `later`.
    func shutDown() async {
        await withTaskGroup(of: Void.self) { group in
            for service in PushPlatform.allCases { group.addTask { await self[service].shutDown() } }
        }
    }

    fileprivate init(
        apns: any PushProvider, fcm: any PushProvider, webPush: WebPushProvider, log: any PushProvider, roots: TrustedRoots
    ) {
        self.apns = apns
        self.fcm = fcm
        self.webPush = webPush
        self.log = log
        self.roots = roots
    }
}

extension PushProviderSettings {
    /// Every service has a provider: its own when set up, else the webhook when there is one, else one that says what is missing.
    ///
    /// Reads no file and opens no connection: what is wrong with either shows in `fault()` and in the outcomes.
    /// - Parameter keysDirectory: where the APNs token outlives a restart; nil keeps it in memory only.
    func providers(keys: ServerKeys, keysDirectory: String?, clock: any WallClock) -> PushProviderTable {
        let roots = TrustedRoots(file: trustedRootsFile)
        let tokenFile = keysDirectory.map {
            SealedFile(path: $0 + "/apns-token", key: keys.key(for: "push/apns-token"))
        }
        let apns: any PushProvider =
            apnsKeyFile.isEmpty
            ? fallback("push.apns_key_file", roots: roots, clock: clock)
            : APNsProvider(self, tokenFile: tokenFile, roots: roots, clock: clock)
        let fcm: any PushProvider =
            fcmCredentialsFile.isEmpty
            ? fallback("push.fcm_credentials_file", roots: roots, clock: clock)
            : FCMProvider(self, roots: roots, clock: clock)
        return PushProviderTable(
            apns: apns, fcm: fcm,
            webPush: WebPushProvider(self, key: VAPIDKey(seed: keys.key(for: "push/vapid")), roots: roots, clock: clock),
            log: LogProvider(), roots: roots)
    }

    private func fallback(_ setting: String, roots: TrustedRoots, clock: any WallClock) -> any PushProvider {
        webhookURL.isEmpty
            ? UnreadyProvider(reason: "\(setting) is not set") : WebhookProvider(self, roots: roots, clock: clock)
    }
}
