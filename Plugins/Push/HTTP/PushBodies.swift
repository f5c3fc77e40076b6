import SparkCore
import SparkKit

// The JSON bodies and answers of Push.

/// The body of `PUT /me/devices/{id}`.
struct DeviceRegistration: RequestBody {
    /// Which of Apple's two environments a token belongs to.
    enum Environment: String, WireWord {
        case production, sandbox

        static let schemaName = "PushEnvironment"
        static let summary = "Which of Apple's two environments a token belongs to."
    }

    /// The keys of a browser's subscription.
    struct Keys: RequestBody {
        let publicKey: [UInt8]
        let secret: [UInt8]

        static let body = BodyFields<Keys>(
            "WebPushKeys", "The keys of a browser's subscription.", Keys.init(publicKey:secret:)
        ) {
            Field(
                "p256dh", \.publicKey,
                base64URL("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
                "A point on P-256, 65 bytes.")
            Field("auth", \.secret, base64URL("BTBZMqHH6r4Tts7J_aSIgg"), "16 bytes.")
        }

        private static func base64URL(_ example: String) -> FieldType<[UInt8]> {
            FieldType(
                Schema.string().with(example: .string(example)), format: "base64url",
                // Browsers omit base64 padding, some libraries add it.
                parse: { Base64URL.decode(String($0.prefix { $0 != "=" })) }, text: { Base64URL.encode($0) })
        }
    }

    let service: PushPlatform
    let token: String
    let environment: Environment?
    /// Nil means the language of the request's Accept-Language.
    let language: PushLanguage?
    let keys: Keys?

    static let body = BodyFields<DeviceRegistration>(
        "DeviceRegistration", "A device that is pushed to.",
        DeviceRegistration.init(service:token:environment:language:keys:)
    ) {
        Field("provider", \.service, .word(format: "one of \(PushPlatform.wireWords.joined(separator: ", "))"))
        Field("token", \.token, .string(1...4_096), "As the platform gave it to the app; a browser's endpoint.")
        Field(
            optional: "environment", \.environment, .word(format: Environment.wireWords.joined(separator: " or ")),
            isInExample: false, "For apns; production by default.")
        Field(optional: "language", \.language, tag, "By default, the language that Accept-Language asks for.")
        Field(optional: "keys", \.keys, isInExample: false, "For webpush.")
    }

    /// A language that no pushes are written in means English.
    private static let tag = FieldType<PushLanguage>(
        Schema.string(1...35).with(example: "pt-BR"), format: "a language tag, e.g. en or pt-BR",
        parse: { (1...35).contains($0.unicodeScalars.count) ? PushLanguage(tag: $0) ?? .en : nil }, text: \.wire)

    func target(registeredAt: Timestamp) -> PushTarget {
        PushTarget(
            service: service, token: service == .apns ? token.lowercased() : token, publicKey: keys?.publicKey ?? [],
            secret: keys?.secret ?? [], isSandbox: environment == .sandbox, registeredAt: registeredAt)
    }
}

/// A device as its owner sees it, without the token.
struct DeviceView: JSONObject {
    let device: Device

    static let fields = Fields<DeviceView>("Device", "A device that is pushed to.") {
        Field("id", \.device.name, .string.example("phone"), "The app's name for the device.")
        Field("provider", \.device.target.service)
        Field("language", \.device.language)
        Field("session_id", \.device.session, "The device gets no pushes once this session has ended.")
        Field("registered_at", \.device.target.registeredAt)
    }
}

extension QuietHours: RequestBody {
    static let body = BodyFields<QuietHours>(
        "QuietHours", "Hours of each day without pushes.", QuietHours.init(from:until:)
    ) {
        Field("from", \.from, time("22:00"))
        Field("until", \.until, time("07:30"), "On the next day if it is before from.")
    }

    private static func time(_ example: String) -> FieldType<Int> {
        FieldType(
            Schema.string().with(example: .string(example)), format: "HH:MM", parse: { minute($0) }, text: { text($0) })
    }
}

/// The body of `PUT /me/notifications`, which replaces all settings: a missing member gets its default.
extension NotificationSettings: RequestBody {
    static let body = BodyFields<NotificationSettings>(
        "NotificationSettings", "What a person wants to be told, and when.", read: read
    ) {
        zone
        quietHours
        shown
        muted
    }

    private static let first = NotificationSettings()
    private static let zone = Field<NotificationSettings, String>(
        "time_zone", \.timeZone,
        FieldType(
            Schema.string().with(example: "Europe/Paris"), format: "a name of the time zone database, e.g. Europe/Paris",
            parse: { LocalTime.known($0) }, text: \.self), default: first.timeZone)
    private static let quietHours = Field<NotificationSettings, QuietHours?>(
        "quiet_hours", \.quiet, .nullable(.object), default: first.quiet)
    private static let shown = Field<NotificationSettings, Preview>(
        "preview", \.preview, .word(format: "one of \(Preview.wireWords.joined(separator: ", "))"), default: first.preview)
    private static let muted = Field<NotificationSettings, [PushKind]>(
        "muted", { settings in PushKind.allCases.filter { settings.mutedKinds.contains($0) } },
        .distinctList(
            .word(format: "one of \(PushKind.wireWords.joined(separator: ", "))"), 0...PushKind.allCases.count),
        default: [], "Of these nothing is pushed.")

    private static func read(from reader: inout ObjectReader) -> NotificationSettings? {
        let (zone, quiet) = (zone.read(from: &reader), quietHours.read(from: &reader))
        let isFaulty = quiet.flatMap(\.self).map { $0.from == $0.until } ?? false
        if isFaulty { reader.refuse("quiet_hours", "range", "from and until must differ.") }
        let (preview, muted) = (shown.read(from: &reader), muted.read(from: &reader))
        guard let zone, let quiet, let preview, let muted, !isFaulty else { return nil }
        return NotificationSettings(timeZone: zone, quiet: quiet, preview: preview, mutedKinds: Set(muted))
    }
}

/// The body of `PUT /conversations/{id}/mute`.
struct MuteBody: RequestBody {
    let seconds: Int?

    static let body = BodyFields<MuteBody>("Mute", "For how long nothing is pushed.", MuteBody.init(seconds:)) {
        Field(optional: "for_seconds", \.seconds, .integer(1...31_536_000), "Without it there is no end.")
    }

    /// Nil mutes without end.
    var duration: Duration? { seconds.map { .seconds($0) } }
}

/// The answer to `GET /push/webpush-key`.
struct WebPushKey: JSONObject {
    let key: String

    static let fields = Fields<WebPushKey>("WebPushKey", "What browsers subscribe with.") {
        Field("key", \.key, .string, "The applicationServerKey.")
    }
}
