import NIOSSL
import Spark
import SparkClient
import SparkFiles

/// What `spark doctor` says about the server's own certificate.
enum CertificateCheck {
    private static let check = "TLS"
    private static let longestFile = 1 << 20
    private static let soon: Int64 = 14 * 86_400
    /// Below this, hours are shown, in seconds.
    private static let imminent: Int64 = 2 * 86_400

    /// - Parameters:
    ///   - certificate: the path of the chain, in PEM; empty for none.
    ///   - key: the path of the private key, in PEM.
    ///   - now: in seconds since 1970.
    ///   - host: the name under which people reach the server; empty if unknown.
    /// - Returns: nil when the server speaks no TLS.
    static func row(certificate: String, key: String, now: Int64, host: String = "") -> DoctorRow? {
        guard !certificate.isEmpty || !key.isEmpty else { return nil }
        let (certificate, key) = (path(certificate), path(key))
        let chain: [NIOSSLCertificate]
        let privateKey: NIOSSLPrivateKey
        do throws(NamedFile.Refusal) {
            guard let read = try? NIOSSLCertificate.fromPEMBytes(NamedFile.contents(of: certificate, atMost: longestFile)),
                !read.isEmpty
            else {
                _ = try NamedFile.contents(of: certificate, atMost: longestFile)
                return .fault(
                    check, "\(Display.text(certificate)) holds no certificate in PEM", "name the chain that your authority gave")
            }
            chain = read
        } catch {
            return .fault(
                check, "\(Display.text(certificate)): \(error)",
                "correct tls.certificate_file, or give the server the right to read it")
        }
        do throws(NamedFile.Refusal) {
            let bytes = try NamedFile.contents(of: key, atMost: longestFile)
            guard let read = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else {
                return .fault(
                    check, "\(Display.text(key)) holds no private key in PEM without a password",
                    "name the key of the certificate")
            }
            privateKey = read
        } catch {
            return .fault(
                check, "\(Display.text(key)): \(error)", "correct tls.key_file, or give the server the right to read it")
        }
        let pair = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
        guard (try? NIOSSLContext(configuration: pair)) != nil else {
            return .fault(check, "the key does not belong to the certificate", "name the two files of one certificate")
        }
        let end = chain.map { Int64($0.notValidAfter) }.min() ?? 0
        let begin = chain.map { Int64($0.notValidBefore) }.max() ?? 0
        guard begin <= now else { return .fault(check, "the certificate is not valid yet", "check the clock, or wait") }
        guard end > now else {
            return .fault(check, "the certificate has expired", "renew it; the server reads the new file by itself")
        }
        if !host.isEmpty, let own = chain.first, !CertificateNames.cover(host, in: own) {
            return .fault(
                check,
                "the certificate is for \(Display.text(CertificateNames.shown(of: own))), not for \(host) of server.public_url",
                "get one for \(host), or correct server.public_url: clients refuse this one")
        }
        let rest = end - now < imminent ? "\((end - now) / 3_600) more hours" : "\((end - now) / 86_400) more days"
        let finding = "the certificate is valid for \(rest)"
        return end - now < soon ? .warning(check, finding, "renew it") : .ok(check, finding)
    }

    /// From the root: a path of a setting begins in the working directory of the process.
    private static func path(_ text: String) -> String { text.isEmpty ? text : NamedFile.absolute(text) }
}
