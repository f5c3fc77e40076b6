import Crypto
import Foundation
package import SparkCore

/// AWS Signature Version 4: the headers that prove a request to be from the owner of a key.
///
/// The rules are in "Signature Version 4 signing process" of AWS's documentation. The host and all headers that are given here are
/// signed.
package struct SignatureV4: Sendable {
    /// What is signed. Path and query are as the server receives them, but not encoded.
    package struct Request: Sendable {
        package var method: String
        /// With the port, unless it is the scheme's own.
        package var host: String
        /// Begins with a slash.
        package var path: String
        package var query: [(name: String, value: String)] = []
        package var headers: [(name: String, value: String)] = []
        /// SHA-256 of the body in hexadecimal digits.
        package var bodyDigest: String

        package init(_ method: String, host: String, path: String, bodyDigest: String = SignatureV4.emptyDigest) {
            (self.method, self.host, self.path, self.bodyDigest) = (method, host, path, bodyDigest)
        }

        /// Path and query as they are sent.
        package var target: String {
            SignatureV4.encodedPath(path) + (query.isEmpty ? "" : "?" + SignatureV4.encodedQuery(query))
        }
    }

    /// SHA-256 of nothing.
    package static let emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    private static let algorithm = "AWS4-HMAC-SHA256"

    private let credentials: S3Credentials
    private let region: String
    private let service: String

    package init(_ credentials: S3Credentials, region: String, service: String = "s3") {
        (self.credentials, self.region, self.service) = (credentials, region, service)
    }

    /// All headers of a request: the given ones, the host, and those of the signature.
    package func headers(of request: Request, at time: Timestamp) -> [(name: String, value: String)] {
        // 20260301T093000Z, from 2026-03-01T09:30:00.250Z.
        let moment = String(time.description.prefix { $0 != "." }.filter { $0 != "-" && $0 != ":" }) + "Z"
        let scope = "\(moment.prefix(8))/\(region)/\(service)/aws4_request"
        var headers = request.headers + [("host", request.host), ("x-amz-date", moment)]
        if service == "s3" { headers.append(("x-amz-content-sha256", request.bodyDigest)) }
        if let token = credentials.sessionToken { headers.append(("x-amz-security-token", token)) }
        let signed = headers.map { (name: $0.name.lowercased(), value: Self.folded($0.value)) }.sorted { $0.name < $1.name }
        let names = signed.map(\.name).joined(separator: ";")
        let canonical = [
            request.method, Self.encodedPath(request.path), Self.encodedQuery(request.query),
            signed.map { "\($0.name):\($0.value)\n" }.joined(), names, request.bodyDigest,
        ].joined(separator: "\n")
        let text = [Self.algorithm, moment, scope, SHA256.hash(data: Data(canonical.utf8)).hexadecimal].joined(separator: "\n")
        let signature = Self.code(text, key: key(day: String(moment.prefix(8)))).hexadecimal
        let authorization =
            "\(Self.algorithm) Credential=\(credentials.accessKey)/\(scope),SignedHeaders=\(names),Signature=\(signature)"
        return headers + [("authorization", authorization)]
    }

    /// The key of one day, region and service.
    private func key(day: String) -> SymmetricKey {
        [day, region, service, "aws4_request"].reduce(SymmetricKey(data: Data("AWS4\(credentials.secretKey)".utf8))) {
            key, part in
            SymmetricKey(data: Self.code(part, key: key))
        }
    }

    private static func code(_ text: String, key: SymmetricKey) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key)
    }

    /// Without blanks around it, and with single blanks inside.
    private static func folded(_ value: String) -> String { value.split(separator: " ").joined(separator: " ") }

    private static func encodedPath(_ path: String) -> String { encoded(path, keeping: UInt8(ascii: "/")) }

    private static func encodedQuery(_ query: [(name: String, value: String)]) -> String {
        query.map { (encoded($0.name), encoded($0.value)) }.sorted { $0 < $1 }.map { "\($0)=\($1)" }.joined(separator: "&")
    }

    /// Percent encoding of every byte of UTF-8 that RFC 3986 does not call unreserved.
    private static func encoded(_ text: String, keeping kept: UInt8? = nil) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.append(byte)
            case kept: result.append(byte)
            default: result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

extension Sequence<UInt8> {
    /// Two lower-case hexadecimal digits for each byte.
    var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
