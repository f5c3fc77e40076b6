/// A site for Caddy, which gets its certificates by itself.
package enum Caddyfile {
    /// The file's text, for `/etc/caddy/Caddyfile`.
    package static func text(_ site: ProxySite) -> String {
        """
        # Made by spark export caddy. Save as /etc/caddy/Caddyfile, then: caddy validate --config /etc/caddy/Caddyfile && systemctl reload caddy
        # Caddy gets and renews the certificate itself, redirects HTTP to HTTPS, sets X-Forwarded-For and X-Forwarded-Proto, and
        # passes WebSockets and event streams on as they come.
        \(site.settings("#"))

        \(site.domain)\(site.httpsPort == 443 ? "" : ":\(site.httpsPort)") {
        \theader Strict-Transport-Security max-age=31536000
        \trequest_body {
        \t\tmax_size \(site.bodyKibibytes)KiB
        \t}
        \treverse_proxy \(site.upstream) {
        \t\tflush_interval -1
        \t\ttransport http {
        \t\t\tversions 1.1
        \t\t\tdial_timeout 5s
        \t\t\tkeepalive \(site.upstreamIdleSeconds)s
        \t\t\tkeepalive_idle_conns_per_host 64
        \t\t\tread_timeout \(max(site.answerSeconds, site.streamSeconds))s
        \t\t}
        \t}
        }

        """
    }
}
