import Foundation
import SparkFiles

/// A bucket, where it is, and the key to it; checked.
public struct S3Configuration: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    static let defaultRegion = "us-east-1"
    /// What begins the place of a bucket.
    public static let scheme = "s3://"
    /// The longest file of a secret key, in bytes.
    public static let longestSecretFile = 4_096
    /// The longest file of trusted certificates, in bytes.
    public static let longestRootsFile = 1 << 20

    /// The name of the bucket.
    let bucket: String
    /// What comes before the names of objects; empty, or ends with a slash.
    let prefix: String
    let region: String
    let credentials: S3Credentials
    /// A file of further certificates to trust (PEM).
    let trustedRootsFile: String?
    /// `http` or `https`.
    let urlScheme: String
    /// With the bucket's name if it is addressed by host, and with the port if it is not the scheme's own.
    let host: String
    /// Without the slash at the end; with the bucket's name if it is addressed by path.
    let basePath: String

    /// Reads a place, `s3://bucket` or `s3://bucket/prefix`. Reads the file of the secret key, if there is one: blocks on the disk.
    /// - Throws: `BackupStoreError.refused` with what is wrong and how to set it. No secret is in it.
    public init(_ place: String, _ settings: S3Settings) throws(BackupStoreError) {
        (bucket, prefix) = try Self.split(place)
        region = settings.region ?? Self.defaultRegion
        guard region.isPlain(or: "-") else {
            throw .refused("the region (backup.s3_region, AWS_REGION) is not one such as eu-central-1")
        }
        credentials = try Self.credentials(settings)
        trustedRootsFile = settings.trustedRootsFile
        let endpoint = try Self.endpoint(settings.endpoint ?? "https://s3.\(region).amazonaws.com")
        urlScheme = endpoint.scheme
        let isByHost =
            switch settings.addressing {
            case .host: true
            case .path: false
            // A dot in a bucket's name makes a host name that the certificate of the endpoint does not cover.
            case .automatic: settings.endpoint == nil && !bucket.contains(".")
            }
        host = isByHost ? "\(bucket).\(endpoint.host)" : endpoint.host
        basePath = isByHost ? endpoint.path : "\(endpoint.path)/\(bucket)"
    }

    /// `s3://bucket/prefix`.
    public var description: String { Self.scheme + bucket + (prefix.isEmpty ? "" : "/\(prefix.dropLast())") }
    /// The place.
    public var debugDescription: String { description }
    /// Shows the place.
    public var customMirror: Mirror { Mirror(self, children: ["place": description]) }

    /// Checks the form of a place.
    /// - Throws: `BackupStoreError.refused`, without the place.
    static func check(_ place: String) throws(BackupStoreError) { _ = try split(place) }

    private static func split(_ place: String) throws(BackupStoreError) -> (bucket: String, prefix: String) {
        // The place is not repeated: somebody may have written credentials into it.
        guard place.hasPrefix(scheme) else { throw .refused("a bucket is written as s3://BUCKET or s3://BUCKET/PREFIX") }
        var parts = place.dropFirst(scheme.count).split(separator: "/", omittingEmptySubsequences: false)
        if parts.count > 1, parts.last == "" { parts.removeLast() }
        guard let bucket = parts.first, (1...255).contains(bucket.utf8.count), bucket.isPlain(or: "-._"), !bucket.hasPrefix(".")
        else { throw .refused("the name of the bucket is not one of ASCII letters, digits, dots, hyphens and underscores") }
        let folders = parts.dropFirst()
        guard folders.allSatisfy({ !["", ".", ".."].contains($0) }), place.utf8.count <= 512,
            place.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 })
        else { throw .refused("what follows the bucket's name is not a prefix such as town/backups") }
        return (String(bucket), folders.map { $0 + "/" }.joined())
    }

    private static func endpoint(_ text: String) throws(BackupStoreError) -> (scheme: String, host: String, path: String) {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme),
            let name = parts.percentEncodedHost?.lowercased(), !name.isEmpty, !name.contains("%"), parts.user == nil,
            parts.password == nil, parts.query == nil, parts.fragment == nil
        else {
            throw .refused(
                "the endpoint (backup.s3_endpoint, AWS_ENDPOINT_URL) is not a web address such as https://s3.example.org or http://127.0.0.1:9000"
            )
        }
        let address = name.contains(":") && !name.hasPrefix("[") ? "[\(name)]" : name
        let isUsual = parts.port == nil || parts.port == (scheme == "https" ? 443 : 80)
        let path = parts.path.hasSuffix("/") ? String(parts.path.dropLast()) : parts.path
        return (scheme, isUsual ? address : "\(address):\(parts.port ?? 0)", path)
    }

    private static func credentials(_ settings: S3Settings) throws(BackupStoreError) -> S3Credentials {
        guard let accessKey = settings.accessKey else {
            throw .refused(
                "the key to the bucket is not set: set backup.s3_access_key and backup.s3_secret_key_file, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            )
        }
        var secretKey = settings.secretKey
        if secretKey == nil, let file = settings.secretKeyFile { secretKey = try secret(inFile: file) }
        guard let secretKey else {
            throw .refused("the secret key to the bucket is not set: set backup.s3_secret_key_file, or AWS_SECRET_ACCESS_KEY")
        }
        // Keys become part of headers.
        let isPlain: (String) -> Bool = { $0.utf8.allSatisfy { (33...126).contains($0) } && !$0.isEmpty }
        guard isPlain(accessKey), isPlain(secretKey), settings.sessionToken.map(isPlain) ?? true else {
            throw .refused("the key to the bucket has blanks or characters that no such key has")
        }
        return S3Credentials(accessKey: accessKey, secretKey: secretKey, sessionToken: settings.sessionToken)
    }

    private static func secret(inFile path: String) throws(BackupStoreError) -> String {
        do throws(NamedFile.Refusal) {
            return String(decoding: try NamedFile.contents(of: path, atMost: longestSecretFile), as: UTF8.self).trimmed
        } catch {
            throw .refused("the file of the secret key, \(path), cannot be read: \(error)")
        }
    }
}

extension StringProtocol {
    /// Whether it has only ASCII letters, digits and some other characters, and at least one of them.
    func isPlain(or others: StaticString) -> Bool {
        let others = others.withUTF8Buffer { Array($0) }
        return !isEmpty
            && utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: others.contains(byte)
                }
            }
    }
}
