import Logging

/// One entry of systemd's journal: fields with a name and a value, in the journal's native format.
struct JournalEntry {
    /// The longest name that the journal takes.
    private static let longestName = 64

    /// The message, as `journalctl` shows it.
    let message: String
    private let level: Logger.Level
    /// Names in the journal's alphabet, and values.
    private let fields: [(name: String, value: String)]

    /// - Parameter fields: the metadata; its keys become names such as `SPARK_REQUEST_ID`.
    init(level: Logger.Level, message: String, fields: [(key: String, value: String)]) {
        self.message = message
        self.level = level
        self.fields = fields.map { (Self.name($0.key), $0.value) }
    }

    /// - Parameter limit: fields that no longer fit are left out; of the message, the beginning stays.
    func bytes(atMost limit: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        Self.append("PRIORITY", "\(level.journalPriority)", to: &bytes)
        Self.append("SYSLOG_IDENTIFIER", "spark", to: &bytes)
        Self.append("MESSAGE", Self.cut(message, to: limit - bytes.count - 256), to: &bytes)
        for (name, value) in fields where bytes.count + name.utf8.count + value.utf8.count + 16 <= limit {
            Self.append(name, value, to: &bytes)
        }
        return bytes
    }

    /// A value with a line break has its length before it: eight bytes, the least significant first.
    private static func append(_ name: String, _ value: String, to bytes: inout [UInt8]) {
        bytes += name.utf8
        if value.utf8.contains(0x0A) {
            bytes.append(0x0A)
            withUnsafeBytes(of: UInt64(value.utf8.count).littleEndian) { bytes += $0 }
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes += value.utf8
        bytes.append(0x0A)
    }

    /// The text's beginning of at most `limit` bytes.
    private static func cut(_ text: String, to limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        return String(decoding: text.utf8.prefix(max(0, limit)), as: UTF8.self)
    }

    /// A key in the alphabet of names: capital letters, digits, underscores. The prefix keeps it apart from the journal's own names.
    private static func name(_ key: String) -> String {
        let letters = key.uppercased().utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
            default: UInt8(ascii: "_")
            }
        }
        return String(("SPARK_" + String(decoding: letters, as: UTF8.self)).prefix(longestName))
    }
}

extension Logger.Level {
    /// The priority of syslog(3).
    var journalPriority: Int {
        switch self {
        case .critical: 2
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .info: 6
        case .debug, .trace: 7
        }
    }
}
