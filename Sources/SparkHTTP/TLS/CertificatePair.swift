import NIOCore
import NIOSSL
import SparkFiles

/// A certificate with its chain and its key, as they are in their files, and the context in which connections use them.
struct CertificatePair: Sendable {
    /// Why a pair cannot be used.
    struct Fault: Error, Hashable, CustomStringConvertible {
        /// The key of the setting in the section `tls`.
        let key: String
        /// What is wrong and what to do. Never part of a key.
        let reason: String

        var description: String { "tls.\(key): \(reason)" }
    }

    /// What new connections are made with.
    let context: NIOSSLContext
    /// When the server's certificate becomes valid, in seconds since 1970.
    let notBefore: Int64
    /// When the first certificate of the chain expires, in seconds since 1970.
    let notAfter: Int64

    /// Reads both files. Blocks.
    init(certificateFile: String, keyFile: String) throws(Fault) {
        let chain = try Self.chain(certificateFile)
        let key = try Self.key(keyFile)
        guard let leaf = chain.first else { throw Self.noCertificate }
        do {
            self.context = try NIOSSLContext(configuration: Self.configuration(chain, key))
        } catch NIOSSLError.failedToLoadPrivateKey {
            throw Fault(
                key: "key_file",
                reason:
                    "the key does not belong to the first certificate of tls.certificate_file; name the certificate's own key, "
                    + "and let the chain begin with the server's certificate")
        } catch {
            throw Fault(
                key: "certificate_file",
                reason: "the certificate cannot be used; expected one with an RSA or ECDSA key, followed by its chain")
        }
        self.notBefore = Int64(leaf.notValidBefore)
        self.notAfter = Int64(chain.map(\.notValidAfter).min() ?? leaf.notValidAfter)
    }

    private static let noCertificate = Fault(
        key: "certificate_file",
        reason: "there is no certificate in the file; expected PEM: the server's certificate and then its chain")

    private static func chain(_ path: String) throws(Fault) -> [NIOSSLCertificate] {
        let bytes = try contents("certificate_file", path)
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(bytes), !chain.isEmpty else { throw noCertificate }
        return chain
    }

    private static func key(_ path: String) throws(Fault) -> NIOSSLPrivateKey {
        let bytes = try contents("key_file", path)
        // Without a callback the library would ask for a passphrase on the terminal.
        let noPassphrase: NIOSSLPassphraseCallback<[UInt8]> = { _ in }
        if let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem, passphraseCallback: noPassphrase) { return key }
        let isEncrypted = String(decoding: bytes, as: UTF8.self).contains("ENCRYPTED")
        throw Fault(
            key: "key_file",
            reason: isEncrypted
                ? "the key has a passphrase, which nobody could enter; remove it (openssl pkey -in KEY -out NEW)"
                : "there is no private key in the file; expected PEM")
    }

    private static func contents(_ key: String, _ path: String) throws(Fault) -> [UInt8] {
        do throws(NamedFile.Refusal) {
            return try NamedFile.contents(of: path, atMost: TLSSettings.longestFile)
        } catch {
            throw Fault(key: key, reason: "the file \(NamedFile.absolute(path)) cannot be read: \(error)")
        }
    }

    /// TLS 1.2 and 1.3, with forward secrecy and authenticated encryption only (RFC 9325). The library never renegotiates as a
    /// server and compresses nothing.
    private static func configuration(_ chain: [NIOSSLCertificate], _ key: NIOSSLPrivateKey) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        // Those of TLS 1.2; the library chooses among the three of TLS 1.3 by itself.
        configuration.cipherSuiteValues = [
            .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
            .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        ]
        // The first cannot be broken later by a quantum computer that reads a recording of today.
        configuration.curves = [.x25519_MLKEM768, .x25519, .secp256r1, .secp384r1]
        // Another version of HTTP is added here, and at the end of `TLSEntrance`, where the choice is known.
        configuration.applicationProtocols = ["http/1.1"]
        // Clients have no certificates.
        configuration.trustRoots = .certificates([])
        // How long a connection that closes waits for its client to confirm it.
        configuration.shutdownTimeout = .milliseconds(500)
        return configuration
    }
}
