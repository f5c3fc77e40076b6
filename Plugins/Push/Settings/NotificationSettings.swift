import SparkCore
import SparkKit

/// Which notifications a person gets, when, and how much of them a locked screen shows.
struct NotificationSettings: Hashable, Sendable {
    /// How much a push reveals. The raw values are stored.
    enum Preview: Int64, CaseIterable, Sendable {
        /// Only that there is something new.
        case none = 0
        /// The sender's name.
        case name = 1
        /// The sender's name and the content.
        case full = 2

        var wire: String {
            switch self {
            case .none: "none"
            case .name: "name"
            case .full: "full"
            }
        }

        init?(wire: String) {
            guard let preview = Self.allCases.first(where: { $0.wire == wire }) else { return nil }
            self = preview
        }
    }

    var timeZone = "UTC"
    var quiet: QuietHours?
    /// Other people can read a locked screen, so the default shows no text.
    var preview = Preview.name
    var mutedKinds: Set<PushKind> = []

    var mutedBits: Int64 { mutedKinds.reduce(0) { $0 | 1 << $1.rawValue } }

    static func kinds(of bits: Int64) -> Set<PushKind> { Set(PushKind.allCases.filter { bits & (1 << $0.rawValue) != 0 }) }
}

/// The body of `PUT /me/notifications`. It replaces all settings; a missing field gets its default.
struct NotificationSettingsBody: HandReadBody {
    let settings: NotificationSettings

    init(from reader: inout ObjectReader) {
        var settings = NotificationSettings()
        if let zone = reader.optional("time_zone", format: "a name of the time zone database, e.g. Europe/Paris", LocalTime.known)
        {
            settings.timeZone = zone
        }
        let quiet = reader.optionalObject("quiet_hours", nullable: true) { reader in
            (
                from: reader.value("from", format: "HH:MM", QuietHours.minute),
                until: reader.value("until", format: "HH:MM", QuietHours.minute)
            )
        }
        if let from = quiet?.from, let until = quiet?.until {
            settings.quiet = QuietHours(from: from, until: until)
            if from == until { reader.refuse("quiet_hours", "range", "from and until must differ.") }
        }
        let words = NotificationSettings.Preview.allCases.map(\.wire).joined(separator: ", ")
        if let preview = reader.optional("preview", format: "one of \(words)", NotificationSettings.Preview.init(wire:)) {
            settings.preview = preview
        }
        let kinds = PushKind.wireWords.joined(separator: ", ")
        if let muted = reader.optionalList(
            "muted", count: 0...PushKind.allCases.count, format: "one of \(kinds)", PushKind.init(wire:))
        {
            settings.mutedKinds = Set(muted)
        }
        self.settings = settings
    }

    static let schemaName = "NotificationSettings"
    static let schema = Schema.object([
        .optional("time_zone", .string()),
        .optional("quiet_hours", .nullable(.object([.required("from", .string()), .required("until", .string())]))),
        .optional("preview", .oneOf(NotificationSettings.Preview.allCases.map(\.wire))),
        .optional("muted", .list(.oneOf(PushKind.wireWords), count: 0...PushKind.allCases.count, unique: true)),
    ])
}

extension NotificationSettings: JSONWritable {
    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("time_zone", timeZone)
            writer.key("quiet_hours")
            if let quiet {
                writer.object { writer in
                    writer.field("from", QuietHours.text(quiet.from))
                    writer.field("until", QuietHours.text(quiet.until))
                }
            } else {
                writer.null()
            }
            writer.field("preview", preview.wire)
            writer.field("muted", PushKind.allCases.filter { mutedKinds.contains($0) }.map(\.wire))
        }
    }
}
