import Foundation
import NIOSSL

/// The fakes' certificate for `localhost`, `*.push.test`, 127.0.0.1 and ::1, and the authority that vouches for it, good until 2120.
/// Both are known to everybody and trusted by nobody but these tests.
enum FakeCertificates {
    static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBcTCCARigAwIBAgICEAAwCgYIKoZIzj0EAwIwHzEdMBsGA1UEAwwUU3Bhcmsg
        dGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBa
        MB8xHTAbBgNVBAMMFFNwYXJrIHRlc3QgYXV0aG9yaXR5MFkwEwYHKoZIzj0CAQYI
        KoZIzj0DAQcDQgAEXNxcWz7R36hTyKe8ZAcPDRKDX0w9/CU5YebznOMUQipzIJIe
        4YZVkK0TiMigDxL/OstS4SpAVGVwadPd4jDR36NCMEAwDwYDVR0TAQH/BAUwAwEB
        /zAOBgNVHQ8BAf8EBAMCAQYwHQYDVR0OBBYEFFzEtVm0RSMzKMfI83QiJoy0GtoH
        MAoGCCqGSM49BAMCA0cAMEQCIFffSW8m0xYdbHRXQkJdqv02nD92HFDwzzskmtDx
        78oHAiBBP4HAmuUZovUIilQzgAkN4lkheO1T6L8eMsyFXXzSUQ==
        -----END CERTIFICATE-----
        """

    private static let server = """
        -----BEGIN CERTIFICATE-----
        MIIBxTCCAWqgAwIBAgICEAEwCgYIKoZIzj0EAwIwHzEdMBsGA1UEAwwUU3Bhcmsg
        dGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBa
        MBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA
        BH70y9oNcicuT8IXWok8yk9RDzUA/webVuTxBsBHExFyVSD3ShnfsTvqXAfon4oG
        taeOvoxZCPLAjWTGyb1aQXajgZ4wgZswCQYDVR0TBAIwADA5BgNVHREEMjAwggls
        b2NhbGhvc3SCCyoucHVzaC50ZXN0hwR/AAABhxAAAAAAAAAAAAAAAAAAAAABMBMG
        A1UdJQQMMAoGCCsGAQUFBwMBMB0GA1UdDgQWBBTzzEcwaZcOKlgSS+SKofepSF7P
        9zAfBgNVHSMEGDAWgBRcxLVZtEUjMyjHyPN0IiaMtBraBzAKBggqhkjOPQQDAgNJ
        ADBGAiEAuE/FNNrFpbthL1jwmDdVmyfRErgm+y442CxVlIOtkrACIQCRaq8SEbjv
        DNBZQm9p2eeV+7ksdTDJgVQAghNMfn5Kxw==
        -----END CERTIFICATE-----
        """

    private static let serverKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgBAa7acs/rk1emYcq
        zLbF7i9fQSFh5om2Y8yS2ZDLMqihRANCAAR+9MvaDXInLk/CF1qJPMpPUQ81AP8H
        m1bk8QbARxMRclUg90oZ37E76lwH6J+KBrWnjr6MWQjywI1kxsm9WkF2
        -----END PRIVATE KEY-----
        """

    /// - Parameter protocols: what ALPN offers, the first preferred.
    static func context(protocols: [String]) throws -> NIOSSLContext {
        let certificates = try NIOSSLCertificate.fromPEMBytes(Array(server.utf8))
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificates.map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(serverKey.utf8), format: .pem)))
        configuration.applicationProtocols = protocols
        return try NIOSSLContext(configuration: configuration)
    }

    /// The authority in a file, for the setting `trusted_roots_file`.
    static func rootsFile(in directory: URL) throws -> String {
        let file = directory.appending(path: "roots.pem")
        try Data(authority.utf8).write(to: file)
        return file.path
    }
}
