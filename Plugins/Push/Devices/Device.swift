import SparkCore
import SparkKit

/// A device that a user registered.
struct Device: Sendable {
    let id: Int64
    let user: UserID
    /// The session that registered the device. When it ends, the device gets no pushes.
    let session: SessionID
    /// The app's name for the device.
    let name: String
    let target: PushTarget
    let language: PushLanguage
}

/// The body of `PUT /me/devices/{id}`.
struct DeviceRegistration: HandReadBody {
    let service: PushPlatform
    let token: String
    let publicKey: [UInt8]
    let secret: [UInt8]
    let isSandbox: Bool
    /// Nil means the language of the request's Accept-Language.
    let language: PushLanguage?

    private static let environments = ["production", "sandbox"]

    init(from reader: inout ObjectReader) {
        let words = PushPlatform.wireWords.joined(separator: ", ")
        service = reader.value("provider", format: "one of \(words)") { PushPlatform(wire: $0) } ?? .log
        token = reader.string("token", length: 1...4_096)
        let environment = reader.optional("environment", format: Self.environments.joined(separator: " or ")) { word in
            Self.environments.contains(word) ? word : nil
        }
        isSandbox = environment == "sandbox"
        language = reader.optional("language", format: "a language tag, e.g. en or pt-BR") { tag in
            (1...35).contains(tag.unicodeScalars.count) ? PushLanguage(tag: tag) ?? .en : nil
        }
        let keys = reader.optionalObject("keys") { reader in
            (
                publicKey: reader.value("p256dh", format: "base64url", Self.bytes) ?? [],
                secret: reader.value("auth", format: "base64url", Self.bytes) ?? []
            )
        }
        publicKey = keys?.publicKey ?? []
        secret = keys?.secret ?? []
    }

    /// Browsers omit base64 padding, some libraries add it.
    private static func bytes(_ text: String) -> [UInt8]? { Base64URL.decode(String(text.prefix { $0 != "=" })) }

    func target(registeredAt: Timestamp) -> PushTarget {
        PushTarget(
            service: service, token: service == .apns ? token.lowercased() : token, publicKey: publicKey, secret: secret,
            isSandbox: isSandbox, registeredAt: registeredAt)
    }

    static let schemaName = "DeviceRegistration"
    static let schema = Schema.object([
        .required("provider", .oneOf(PushPlatform.wireWords)),
        .required("token", .string(1...4_096)),
        .optional("keys", .object([.required("p256dh", .string()), .required("auth", .string())])),
        .optional("environment", .oneOf(environments)),
        .optional("language", .string(1...35)),
    ])
}

/// A device as its owner sees it, without the token.
struct DeviceView: JSONWritable, SchemaDescribed {
    let device: Device

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("id", device.name)
            writer.field("provider", device.target.service.wire)
            writer.field("language", device.language.rawValue)
            writer.field("session_id", device.session)
            writer.field("registered_at", device.target.registeredAt)
        }
    }

    static let schemaName = "Device"
    static let schema = Schema.object([
        .required("id", .string()), .required("provider", .oneOf(PushPlatform.wireWords)), .required("language", .string()),
        .required("session_id", .identifier(SessionKind.self)), .required("registered_at", .dateTime),
    ])
}
