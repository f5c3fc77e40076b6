import SparkCore

/// The tokens that a client gets after logging in or refreshing.
struct TokenGrant: Sendable {
    /// The person's own profile as JSON text; nil where the response leaves it out.
    let portrait: [UInt8]?
    let accessToken: String
    let refreshToken: String
    let lifetime: Duration
}

extension TokenGrant: JSONWritable {
    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            if let portrait {
                writer.key("user")
                writer.raw(portrait)
            }
            writer.field("access_token", accessToken)
            writer.field("refresh_token", refreshToken)
            writer.field("token_type", "Bearer")
            writer.field("expires_in", lifetime.components.seconds)
        }
    }

    static let tokenProperties: [Schema.Property] = [
        .required("access_token", .string()),
        .required("refresh_token", .string()),
        .required("token_type", .oneOf(["Bearer"])),
        .required("expires_in", .integer(1...900)),
    ]
}

/// One entry of the list of sessions.
struct SessionLine: JSONWritable, SchemaDescribed, Sendable {
    let session: Session
    let isCurrent: Bool

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("id", session.id)
            writer.field("created_at", session.createdAt)
            writer.field("last_used_at", session.lastUsedAt)
            writer.field("label", session.label)
            writer.field("current", isCurrent)
        }
    }

    static let schemaName = "Session"
    static let schema = Schema.object([
        .required("id", .identifier(SessionKind.self)),
        .required("created_at", .dateTime),
        .required("last_used_at", .dateTime),
        .required("label", .string(1...80)),
        .required("current", .boolean),
    ])
}
