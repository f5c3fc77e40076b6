/// A key for S3-compatible storage. Descriptions and reflection show no part of it.
public struct S3Credentials: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The public identifier of the key.
    let accessKey: String
    let secretKey: String
    /// Of temporary credentials.
    let sessionToken: String?

    /// Credentials with a session token if they are temporary.
    public init(accessKey: String, secretKey: String, sessionToken: String? = nil) {
        (self.accessKey, self.secretKey, self.sessionToken) = (accessKey, secretKey, sessionToken)
    }

    /// Shows nothing.
    public var description: String { "credentials" }
    /// Shows nothing.
    public var debugDescription: String { description }
    /// Shows nothing.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
