import ArgumentParser
import Foundation
import Spark
import SparkHTTP
import SparkKit
import SparkMetrics
import SparkServer
import SparkStream

/// What the files for all proxies are made from.
struct ProxyOptions: ParsableArguments {
    @OptionGroup var common: CommonOptions

    @Option(name: .long, help: "The host name that people use; by default that of server.public_url.")
    var domain: String?

    @Option(name: .long, help: "Host and port at which the proxy reaches the server; by default http.listen.")
    var upstream: String?

    func validate() throws {
        if let domain, let fault = HostName.fault(domain) { throw ValidationError("--domain: \(fault)") }
        if let upstream, ListenAddress(upstream)?.port ?? 0 == 0 {
            throw ValidationError("--upstream: \(ListenAddress.expectation); the port is not 0")
        }
    }

    private static let example = "spark.example.org"

    /// - Parameter certificate: certificate and key, where the proxy needs them; those of certbot if nil.
    func site(certificate: String? = nil, key: String? = nil) throws -> ProxySite {
        let configuration = try common.load()
        let edge: EdgeConfiguration = configuration.section("http")
        let process: ServerConfiguration = configuration.section("server")
        let stream: StreamConfiguration = configuration.section("stream")
        let tls: TLSSettings = configuration.section("tls")
        guard !tls.isOn else {
            throw ConfigurationError(faults: [
                "tls.certificate_file: the server speaks HTTPS itself; behind a proxy it speaks HTTP, so leave tls.* out"
            ])
        }
        guard let address = ListenAddress(upstream ?? edge.listen) else {
            throw ConfigurationError(faults: ["http.listen: \(ListenAddress.expectation)"])
        }
        guard address.port != 0 else {
            throw ConfigurationError(faults: ["http.listen: the system picks the port; name host and port with --upstream"])
        }
        // Every address of a machine is no address that can be asked.
        let host = address.isWildcard ? (address.host.contains(":") ? "::1" : "127.0.0.1") : address.host
        let name = domain ?? Self.host(of: process.publicURL) ?? Self.example
        if domain == nil, process.publicURL.isEmpty {
            Terminal.note("neither --domain nor server.public_url is set: the file is for the example \(Self.example)")
        }
        let isHere = host == "localhost" || OperatorAccess.isLoopback(address: host)
        var site = ProxySite(
            domain: name, upstream: ListenAddress(host: host, port: address.port).text,
            proxyAddress: isHere ? (host.contains(":") ? "::1" : "127.0.0.1") : "ADDRESS-OF-THE-PROXY",
            maximumBodyBytes: edge.maximumBodyBytes, requestSeconds: edge.requestTimeout.roundedUpSeconds,
            idleSeconds: edge.idleTimeout.roundedUpSeconds, heartbeatSeconds: stream.heartbeat.roundedUpSeconds,
            certificate: certificate ?? "/etc/letsencrypt/live/\(name)/fullchain.pem",
            key: key ?? "/etc/letsencrypt/live/\(name)/privkey.pem")
        // People come to the port of their links.
        if let url = URL(string: process.publicURL), url.scheme == "https", let port = url.port { site.httpsPort = port }
        return site
    }

    private static func host(of url: String) -> String? {
        guard let mark = url.firstRange(of: "://") else { return nil }
        let host = url[mark.upperBound...].prefix { !":/?#".contains($0) }
        return host.isEmpty ? nil : String(host)
    }
}

struct ExportNginx: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nginx", abstract: "A site for nginx in front of the server: HTTPS, WebSocket, event streams.")

    @OptionGroup var options: ProxyOptions

    @Option(name: .long, help: "Path of the certificate with its chain; by default certbot's for the host name.")
    var certificate: String?

    @Option(name: .long, help: "Path of the certificate's key; by default certbot's for the host name.")
    var key: String?

    func validate() throws {
        for path in [certificate, key].compactMap(\.self) {
            guard path.hasPrefix("/"), !path.contains(where: { $0.isWhitespace || "\"';{}$\\".contains($0) }) else {
                throw ValidationError("--certificate and --key take absolute paths without spaces, quotes, braces or $.")
            }
        }
    }

    func run() async throws {
        try await reporting { Terminal.show(NginxSite.text(try options.site(certificate: certificate, key: key))) }
    }
}

struct ExportCaddy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "caddy", abstract: "A site for Caddy in front of the server; Caddy gets its certificate itself.")

    @OptionGroup var options: ProxyOptions

    func run() async throws {
        try await reporting { Terminal.show(Caddyfile.text(try options.site())) }
    }
}
