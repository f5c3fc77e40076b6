public import SparkCore

/// The name of a backup: the UTC time at which it began, and random digits. Names sort by time.
public struct BackupName: Hashable, Comparable, Sendable {
    /// The folder of all backups in a store, with a slash.
    public static let folder = "backups/"
    /// The object that makes a backup complete.
    public static let manifest = "manifest.json"
    /// The object with the checksum of the manifest.
    public static let seal = "seal"

    /// For example `20260301T093000Z-0123abcd`.
    public let text: String
    /// The time in the name.
    public let time: Timestamp

    /// A new name.
    public init(at time: Timestamp, random: any RandomSource) {
        let digits = String(time.description.prefix(19)).replacing("-", with: "").replacing(":", with: "")
        let suffix = String(UInt32(truncatingIfNeeded: random.next()), radix: 16)
        self.text = "\(digits)Z-\(String(repeating: "0", count: 8 - suffix.count))\(suffix)"
        self.time = Timestamp(milliseconds: time.milliseconds - time.milliseconds % 1_000)
    }

    /// Reads a name; nil for any other text.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count == 25, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z"), bytes[16] == UInt8(ascii: "-"),
            bytes[17...].allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            bytes[range].reduce(0 as Int?) { value, byte in
                value.flatMap { (0x30...0x39).contains(byte) ? $0 * 10 + Int(byte - 0x30) : nil }
            }
        }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8), let hour = number(9..<11),
            let minute = number(11..<13), let second = number(13..<15), hour < 24, minute < 60, second < 60,
            let date = CivilDate(year: year, month: month, day: day)
        else { return nil }
        self.text = String(text)
        let seconds = Int64(date.daysSinceEpoch) * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
        self.time = Timestamp(milliseconds: seconds * 1_000)
    }

    /// The folder of the backup in a store, with a slash.
    public var prefix: String { "\(Self.folder)\(text)/" }

    /// Orders by time.
    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}
