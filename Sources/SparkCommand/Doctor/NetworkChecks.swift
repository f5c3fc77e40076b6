import Spark
import SparkHTTP

/// What `spark doctor` says about addresses, names and proxies. Pure: facts come in, rows go out.
enum NetworkChecks {
    /// What an attempt to listen at an address showed.
    enum Port: Equatable {
        case free
        /// The running server of the data directory listens there.
        case ours
        case taken
        /// Only privileged processes may open it, and this one is not.
        case privileged
        /// The reason why it cannot be listened on.
        case refused(String)
    }

    static func port(_ key: String, _ address: ListenAddress, _ state: Port) -> DoctorRow {
        let check = "port of \(key)"
        switch state {
        case .free: return .ok(check, "\(address.text) is free")
        case .ours: return .ok(check, "the running server listens at \(address.text)")
        case .taken:
            return .fault(
                check, "another program listens at \(address.text)",
                "stop it (ss -ltnp shows which), or set \(key) to another port")
        case .privileged:
            return .ok(check, "\(address.text) needs the right to ports below 1024, which the unit of spark export gives")
        case .refused(let reason): return .fault(check, "\(address.text): \(reason)", "set \(key) to an address of this machine")
        }
    }

    /// - Parameters:
    ///   - url: server.public_url, which is valid or empty.
    ///   - addresses: of its host; nil if the name is unknown or was not asked for.
    static func name(_ url: String, host: String, addresses: [String]?) -> DoctorRow? {
        guard !url.isEmpty, NetworkAddress(host) == nil else { return nil }
        let check = "name"
        guard let addresses, !addresses.isEmpty else {
            return .fault(
                check, "\(host) of server.public_url has no address",
                "add it to the DNS, or correct server.public_url; a resolver that does not answer looks the same")
        }
        return .ok(check, "\(host) is \(addresses.prefix(4).joined(separator: ", "))")
    }

    /// - Parameters:
    ///   - hasTLS: whether the server itself speaks TLS.
    ///   - proxies: the entries of http.trusted_proxies.
    static func proxy(_ listen: ListenAddress, url: String, hasTLS: Bool, proxies: [String]) -> [DoctorRow] {
        let check = "proxy"
        let trusted = TrustedProxies(proxies)
        let isLocal = listen.host == "localhost" || OperatorAccess.isLoopback(address: listen.host)
        // Addresses of documentation (RFC 5737, RFC 3849): a server that trusts them trusts everybody.
        if ["192.0.2.1", "2001:db8::1"].compactMap({ NetworkAddress($0) }).contains(where: trusted.contains) {
            return [
                .fault(
                    check, "http.trusted_proxies includes every address",
                    "name only your proxies: anybody else can pretend to be another client, and limits do not hold")
            ]
        }
        if isLocal, !url.isEmpty, !hasTLS, proxies.isEmpty {
            return [
                .warning(
                    check, "a proxy seems to be in front (server.public_url is set), but http.trusted_proxies is empty",
                    "set http.trusted_proxies to the proxy's address, such as 127.0.0.1: all clients share one network's limits now"
                )
            ]
        }
        if !isLocal, !hasTLS, proxies.isEmpty {
            return [
                .warning(
                    check, "\(listen.text) is reachable from other machines without TLS",
                    "listen at 127.0.0.1 behind a proxy with TLS, or let Spark speak TLS")
            ]
        }
        if !isLocal, url.isEmpty {
            return [.warning("links", "server.public_url is empty", "set it: links would begin with \(listen.text)")]
        }
        return [.ok(check, proxies.isEmpty ? "none is trusted" : "\(proxies.count) trusted")]
    }
}
