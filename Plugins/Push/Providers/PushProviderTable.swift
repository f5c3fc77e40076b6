import SparkCore
import SparkKit

/// The provider of each platform.
struct PushProviderTable: Sendable {
    private let apns: any PushProvider
    private let fcm: any PushProvider
    private let webPush: WebPushProvider
    /// Whether nothing is sent to browsers, because a test started the server and did not configure that.
    private let keepsWebPush: Bool
    private let log: any PushProvider
    private let roots: TrustedRoots

    /// The key with which browsers subscribe: the public key on P-256, uncompressed, in base64url (RFC 8292, section 3.2).
    var applicationServerKey: String? { webPush.applicationServerKey }

    subscript(service: PushPlatform) -> any PushProvider {
        switch service {
        case .apns: apns
        case .fcm: fcm
        case .webpush: keepsWebPush ? log : webPush
        case .log: log
        }
    }

    /// A configuration problem of a platform, visible locally, in one line for the operator; nil when there is none.
    func fault(of service: PushPlatform) async -> String? {
        if service != .log, let fault = await roots.fault() { return fault }
        return await self[service].fault()
    }

    /// Closes all connections; requests under way end as `later`.
    func shutDown() async {
        await withTaskGroup(of: Void.self) { group in
            for service in PushPlatform.allCases { group.addTask { await self[service].shutDown() } }
            if keepsWebPush { group.addTask { await webPush.shutDown() } }
        }
    }

    fileprivate init(
        apns: any PushProvider, fcm: any PushProvider, webPush: WebPushProvider, keepsWebPush: Bool, log: any PushProvider,
        roots: TrustedRoots
    ) {
        self.apns = apns
        self.fcm = fcm
        self.webPush = webPush
        self.keepsWebPush = keepsWebPush
        self.log = log
        self.roots = roots
    }
}

extension PushProviderSettings {
    /// Every platform gets a provider: its own if configured, else the webhook if there is one, else one that reports what is
    /// missing. In a server that a test steers, a platform that is not configured accepts every push and sends none.
    ///
    /// Reads no file and opens no connection: problems with either appear in `fault()` and in the outcomes.
    /// - Parameters:
    ///   - keysDirectory: where the APNs token is kept across restarts; nil keeps it in memory only.
    ///   - isFixture: whether a test steers the server.
    func providers(
        keys: ServerKeys, keysDirectory: String?, clock: any WallClock, isFixture: Bool = false
    ) -> PushProviderTable {
        let roots = TrustedRoots(file: trustedRootsFile)
        let tokenFile = keysDirectory.map {
            SealedFile(path: $0 + "/apns-token", key: keys.key(for: "push/apns-token"))
        }
        let apns: any PushProvider =
            apnsKeyFile.isEmpty
            ? fallback("push.apns_key_file", roots: roots, clock: clock, isFixture: isFixture)
            : APNsProvider(self, tokenFile: tokenFile, roots: roots, clock: clock)
        let fcm: any PushProvider =
            fcmCredentialsFile.isEmpty
            ? fallback("push.fcm_credentials_file", roots: roots, clock: clock, isFixture: isFixture)
            : FCMProvider(self, roots: roots, clock: clock)
        return PushProviderTable(
            apns: apns, fcm: fcm,
            webPush: WebPushProvider(self, key: VAPIDKey(seed: keys.key(for: "push/vapid")), roots: roots, clock: clock),
            keepsWebPush: isFixture && !hasOwnWebPush, log: LogProvider(), roots: roots)
    }

    private func fallback(
        _ setting: String, roots: TrustedRoots, clock: any WallClock, isFixture: Bool
    ) -> any PushProvider {
        guard webhookURL.isEmpty else { return WebhookProvider(self, roots: roots, clock: clock) }
        return isFixture ? LogProvider() : UnreadyProvider(reason: "\(setting) is not set")
    }
}
