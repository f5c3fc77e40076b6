package import AsyncHTTPClient
import Crypto
import CryptoExtras
import Foundation
package import NIOSSL
package import SparkClient
import SparkCore
import SwiftASN1
import X509

/// A certificate authority for one test.
package struct TestAuthority: Sendable {
    /// A certificate for `localhost` and 127.0.0.1, and its key, as PEM.
    package struct Pair: Sendable {
        package let certificate: String
        package let key: String
        /// As openssl prints it: upper-case hexadecimal.
        package let serialNumber: String

        /// Writes both into a folder, first the certificate.
        package func write(to folder: String) throws {
            for (name, text) in [("certificate.pem", certificate), ("key.pem", key)] {
                try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"), options: .atomic)
                try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(folder)/\(name)")
            }
        }
    }

    /// The kind of a certificate's key.
    package enum KeyKind: Sendable { case ecdsa, rsa }

    private let key = P256.Signing.PrivateKey()
    private let name: DistinguishedName
    /// The authority's own certificate, as PEM.
    package let root: String

    package init() throws {
        name = try DistinguishedName { CommonName("Spark test authority") }
        root = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(key.publicKey),
            notValidBefore: .now - 86_400, notValidAfter: .now + 365 * 86_400, issuer: name, subject: name,
            extensions: Certificate.Extensions { Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil)) },
            issuerPrivateKey: .init(key)
        ).serializeAsPEM().pemString
    }

    /// A new certificate.
    /// - Parameter days: for how many days from now it is valid; it has expired if negative.
    package func pair(_ kind: KeyKind = .ecdsa, days: Int = 90) throws -> Pair {
        let own: Certificate.PrivateKey =
            switch kind {
            case .ecdsa: .init(P256.Signing.PrivateKey())
            case .rsa: .init(try _RSA.Signing.PrivateKey(keySize: .bits2048))
            }
        let number = Certificate.SerialNumber()
        let certificate = try Certificate(
            version: .v3, serialNumber: number, publicKey: own.publicKey,
            notValidBefore: .now - Double(400 * 86_400), notValidAfter: .now + Double(days * 86_400), issuer: name,
            subject: try DistinguishedName { CommonName("localhost") },
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                SubjectAlternativeNames([
                    .dnsName("localhost"), .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
                ])
            }, issuerPrivateKey: .init(key))
        return Pair(
            certificate: try certificate.serializeAsPEM().pemString, key: try own.serializeAsPEM().pemString,
            serialNumber: number.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined())
    }

    /// What trusts this authority alone.
    package func trust() throws -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(root.utf8)))
        return tls
    }

    /// Runs a test with a client of a server that has a certificate of this authority.
    package func withClient<Value>(
        of url: String, isolation: isolated (any Actor)? = #isolation, _ body: (SparkClient) async throws -> Value
    ) async throws -> Value {
        try await withHTTP { try await body(SparkClient(url: url, http: $0, timeout: .minutes(10))) }
    }

    /// Runs a test with an HTTP client that trusts this authority alone.
    package func withHTTP<Value>(
        isolation: isolated (any Actor)? = #isolation, _ body: (HTTPClient) async throws -> Value
    ) async throws -> Value {
        let http = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: HTTPClient.Configuration(tlsConfiguration: try trust()))
        do {
            let value = try await body(http)
            try await http.shutdown()
            return value
        } catch {
            try await http.shutdown()
            throw error
        }
    }
}

/// A folder for the files of one test.
package func withTemporaryFolder<Value>(
    isolation: isolated (any Actor)? = #isolation, _ body: (String) async throws -> Value
) async throws -> Value {
    let url = FileManager.default.temporaryDirectory.appending(path: "spark-files-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    return try await body(url.path)
}
