/// What the files for a reverse proxy in front of the server say. The proxy speaks HTTPS; the server speaks HTTP with the proxy.
package struct ProxySite {
    /// The host name that people use.
    package var domain: String
    /// The server's address as the proxy reaches it, `127.0.0.1:7775`.
    package var upstream: String
    /// The proxy's address as the server sees it, for `http.trusted_proxies`.
    package var proxyAddress: String
    /// `http.max_body_bytes`.
    package var maximumBodyBytes: Int
    /// `http.request_timeout_seconds`.
    package var requestSeconds: Int
    /// `http.idle_timeout_seconds`.
    package var idleSeconds: Int
    /// `stream.heartbeat_seconds`.
    package var heartbeatSeconds: Int
    /// Where the proxy finds certificate and key, for proxies that do not get them by themselves.
    package var certificate: String
    package var key: String
    package var httpPort = 80
    package var httpsPort = 443

    package init(
        domain: String, upstream: String, proxyAddress: String, maximumBodyBytes: Int, requestSeconds: Int, idleSeconds: Int,
        heartbeatSeconds: Int, certificate: String, key: String
    ) {
        self.domain = domain
        self.upstream = upstream
        self.proxyAddress = proxyAddress
        self.maximumBodyBytes = maximumBodyBytes
        self.requestSeconds = requestSeconds
        self.idleSeconds = idleSeconds
        self.heartbeatSeconds = heartbeatSeconds
        self.certificate = certificate
        self.key = key
    }

    /// The proxy closes its connections first: what it sends on a connection that the server is closing would be lost.
    var upstreamIdleSeconds: Int { max(1, idleSeconds - min(10, idleSeconds / 2)) }

    /// A stream is silent for a heartbeat at most. The server closes dead ones itself, after two.
    var streamSeconds: Int { heartbeatSeconds * 2 + 30 }

    /// Answers come within seconds, but an export of a person's data may pause.
    var answerSeconds: Int { max(60, requestSeconds * 2) }

    /// A little more than the server takes, so that the server refuses longer bodies itself, in its own words.
    var bodyKibibytes: Int { maximumBodyBytes / 1_024 + 16 }

    /// The settings of the server that belong to the file, as lines of spark.yaml.
    func settings(_ comment: String) -> String {
        """
        \(comment) On Spark's side, in spark.yaml or as SPARK_HTTP_TRUSTED_PROXIES and SPARK_SERVER_PUBLIC_URL:
        \(comment)   http:
        \(comment)     trusted_proxies: [\(proxyAddress.contains(":") ? "\"\(proxyAddress)\"" : proxyAddress)]   # or all clients would share the proxy's limits
        \(comment)   server:
        \(comment)     public_url: https://\(domain)\(httpsPort == 443 ? "" : ":\(httpsPort)")
        """
    }
}
