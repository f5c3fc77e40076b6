/// How to reach S3-compatible storage, as an operator gives it: every part may be missing. `S3Configuration` checks it.
public struct S3Settings: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// How a bucket is addressed.
    public enum Addressing: String, Sendable, CaseIterable {
        /// By path with an endpoint of one's own or a bucket whose name has a dot, by host otherwise.
        case automatic
        /// `https://endpoint/bucket/name`.
        case path
        /// `https://bucket.endpoint/name`.
        case host
    }

    /// `https://host`, with a port and a path if needed; nil for AWS.
    public var endpoint: String?
    /// Such as `eu-central-1`; nil for `us-east-1`.
    public var region: String?
    /// How a bucket is addressed.
    public var addressing = Addressing.automatic
    /// The public identifier of the key.
    public var accessKey: String?
    /// The secret key itself. It comes before `secretKeyFile`.
    public var secretKey: String?
    /// A file that holds the secret key on its only line.
    public var secretKeyFile: String?
    /// Of temporary credentials.
    public var sessionToken: String?
    /// A file of further certificates to trust (PEM).
    public var trustedRootsFile: String?

    /// Nothing is set.
    public init() {}

    /// Reads the variables that AWS's own programs know: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`, `AWS_REGION`,
    /// `AWS_DEFAULT_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_CA_BUNDLE`. Empty ones are not
    /// set.
    public init(environment: [String: String]) {
        func first(_ names: String...) -> String? { names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty } }
        endpoint = first("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
        region = first("AWS_REGION", "AWS_DEFAULT_REGION")
        accessKey = first("AWS_ACCESS_KEY_ID")
        secretKey = first("AWS_SECRET_ACCESS_KEY")
        sessionToken = first("AWS_SESSION_TOKEN")
        trustedRootsFile = first("AWS_CA_BUNDLE")
    }

    /// These settings, and where they say nothing, others. A key is taken as a whole: its parts never come from two places.
    public func filled(from others: S3Settings) -> S3Settings {
        var result = self
        result.endpoint = endpoint ?? others.endpoint
        result.region = region ?? others.region
        if addressing == .automatic { result.addressing = others.addressing }
        result.trustedRootsFile = trustedRootsFile ?? others.trustedRootsFile
        if accessKey == nil, secretKey == nil, secretKeyFile == nil {
            result.accessKey = others.accessKey
            result.secretKey = others.secretKey
            result.secretKeyFile = others.secretKeyFile
            result.sessionToken = others.sessionToken
        }
        return result
    }

    /// Endpoint and region.
    public var description: String { "S3 at \(endpoint ?? "AWS"), region \(region ?? S3Configuration.defaultRegion)" }
    /// Endpoint and region.
    public var debugDescription: String { description }
    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
