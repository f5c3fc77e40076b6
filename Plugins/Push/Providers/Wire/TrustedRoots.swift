import NIOSSL

/// Whom to believe on the way to the providers: the system's roots, and those of a file.
struct TrustedRoots: Sendable {
    /// Empty: the system's alone.
    let file: String

    /// TLS 1.2 and above, the host's name verified.
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

    /// What is wrong with the file, in one line; nil when all is well.
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
