import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL
import SparkCore

/// Asks a server once, as its clients do, and says why there is no answer.
package struct ServerProbe: Sendable {
    package enum Outcome: Sendable {
        case answered(SparkAnswer)
        /// Nothing answers, or what answers is understood no further: the end of a sentence about the address.
        case silent(String)
    }

    private let url: String
    private let trustedRoots: String?
    private let patience: Duration
    private let now: Int64

    /// - Parameters:
    ///   - trustedRoots: a file in PEM with the authorities that are trusted; nil for those of the system.
    ///   - patience: the longest time for a connection, and for an answer.
    ///   - now: in seconds since 1970.
    package init(url: String, trustedRoots: String? = nil, patience: Duration, now: Int64) {
        (self.url, self.trustedRoots, self.patience, self.now) = (url, trustedRoots, patience, now)
    }

    /// Sends `GET` without a body.
    package func ask(_ path: String) async -> Outcome {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let trustedRoots { tls.trustRoots = .file(trustedRoots) }
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        // A refusal comes at once, with its reason.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.redirectConfiguration = .disallow
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let outcome: Outcome
        do {
            let answer = try await SparkClient(url: url, http: http, timeout: patience).send("GET", path, body: nil)
            outcome =
                isRefusalOfPlainHTTP(answer) ? .silent("does not answer plain HTTP: this port speaks HTTPS") : .answered(answer)
        } catch {
            outcome = .silent(await reason(for: error))
        }
        try? await http.shutdown()
        return outcome
    }

    /// Spark's own answer, and those of other servers.
    private func isRefusalOfPlainHTTP(_ answer: SparkAnswer) -> Bool {
        guard url.hasPrefix("http://"), answer.status == 400 else { return false }
        let text = String(decoding: answer.body.prefix(4_096), as: UTF8.self)
        return answer.json["code"]?.string == "request.plain_http" || text.contains("plain HTTP request was sent to HTTPS")
    }

    private func reason(for error: any Error) async -> String {
        let text = String(describing: error)
        if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") {
            return "does not speak HTTPS: use an address that begins with http"
        }
        guard text.contains("CERTIFICATE_VERIFY_FAILED") || error is NIOSSLExtraError else { return "does not answer" }
        return "cannot be asked: its certificate is not trusted: \(await distrust())"
    }

    // MARK: Certificates

    /// Why the certificate of the server is refused.
    private func distrust() async -> String {
        let address = ServerAddress(url)
        guard let certificate = await certificate(of: address) else { return "the connection ended before it was shown" }
        if Int64(certificate.notValidAfter) < now { return "it has expired" }
        if Int64(certificate.notValidBefore) > now { return "it is not valid yet, or the clock of this machine is wrong" }
        guard CertificateNames.cover(address.host, in: certificate) else {
            return "it is for \(CertificateNames.shown(of: certificate)), not for \(address.host)"
        }
        return trustedRoots == nil
            ? "no authority that this machine knows has signed it, or the chain is not whole; --trusted-roots FILE names others"
            : "no authority in the file of --trusted-roots has signed it, or the chain is not whole"
    }

    /// The certificate that the server shows; nothing is sent to it.
    private func certificate(of address: ServerAddress) async -> NIOSSLCertificate? {
        guard let context = try? NIOSSLContext(configuration: .makeClientConfiguration()) else { return nil }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let shown = loop.makePromise(of: NIOSSLCertificate?.self)
        let limit = TimeAmount.milliseconds(patience.milliseconds)
        let deadline = loop.scheduleTask(in: limit) { shown.succeed(nil) }
        // A name alone can be asked for by SNI.
        let name = CertificateNames.bytes(ofAddress: address.host) == nil ? address.host : nil
        let connected = ClientBootstrap(group: loop).connectTimeout(limit).channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                let handler = try NIOSSLClientHandler(
                    context: context, serverHostname: name,
                    customVerificationCallback: { chain, verdict in
                        shown.succeed(chain.first)
                        verdict.succeed(.failed)
                    })
                try channel.pipeline.syncOperations.addHandler(handler)
            }
        }.connect(host: address.host, port: address.port)
        connected.whenFailure { _ in shown.succeed(nil) }
        let certificate = try? await shown.futureResult.get()
        deadline.cancel()
        if let channel = try? await connected.get() { try? await channel.close() }
        return certificate ?? nil
    }
}
