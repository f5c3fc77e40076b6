import Spark

/// The settings with which a server on a copy answers on this machine and reaches nobody.
enum QuietSettings {
    /// What becomes of each setting that lets a server reach others, or be reached by them.
    static let values: [(key: String, value: String)] = [
        ("backup.to", ""), ("metrics.alert_webhook_url", ""), ("push.apns_key_file", ""), ("push.apns_key_id", ""),
        ("push.apns_team_id", ""), ("push.apns_topic", ""), ("push.apns_url", ""), ("push.fcm_credentials_file", ""),
        ("push.fcm_url", ""), ("push.webhook_url", ""), ("push.webhook_secret", ""), ("push.webpush_subject", ""),
        ("push.trusted_roots_file", ""), ("operator.listen", ""), ("tls.certificate_file", ""), ("tls.key_file", ""),
        ("tls.redirect_listen", ""), ("tls.acme_webroot", ""), ("metrics.certificate_file", ""),
        ("http.reads_per_minute", "0"), ("server.access_log", "false"), ("server.log_target", "stderr"),
    ]

    /// The changes to a configuration, as `section.key=value`. A setting at its default is left out: by default nobody is reached, and an
    /// older program may not know it.
    static func changes(to configuration: LoadedConfiguration) -> [String] {
        values.filter { configuration.origins[$0.key] != nil }.map { "\($0.key)=\($0.value)" }
    }
}
