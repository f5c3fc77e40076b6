import NIOSSL

/// The trusted root certificates for connections to providers: the system's and those of a file.
struct TrustedRoots: Sendable {
    /// Empty for the system's roots alone.
    let file: String

    /// TLS 1.2 and above, with verification of the host name.
    /// - Throws: `FileFault`.
    func configuration() async throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        guard !file.isEmpty else { return configuration }
        let source = ProviderFile(setting: "push.trusted_roots_file", path: file)
        let text = try await source.text()
        guard let certificates = try? NIOSSLCertificate.fromPEMBytes(Array(text.utf8)), !certificates.isEmpty else {
            throw source.fault("there is no certificate in the file (PEM)")
        }
        configuration.additionalTrustRoots = [.certificates(certificates)]
        return configuration
    }

    /// What is wrong with the file, in one line; nil when it is usable.
    func fault() async -> String? {
        do {
            _ = try await configuration()
            return nil
        } catch let fault as FileFault {
            return fault.words
        } catch {
            return "push.trusted_roots_file cannot be used"
        }
    }
}
