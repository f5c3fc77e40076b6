/// Times in UTC as in RFC 3339, always with milliseconds: `2026-03-01T09:30:00.250Z`.
enum RFC3339 {
    static func bytes(of date: CivilDate) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(24)
        append(date.year, width: 4, to: &out)
        out.append(UInt8(ascii: "-"))
        append(date.month, width: 2, to: &out)
        out.append(UInt8(ascii: "-"))
        append(date.day, width: 2, to: &out)
        return out
    }

    static func bytes(of instant: Timestamp) -> [UInt8] {
        let day = instant.milliseconds.flooredQuotient(86_400_000)
        let remainder = Int(instant.milliseconds % 86_400_000)
        let rest = remainder < 0 ? remainder + 86_400_000 : remainder
        var out = bytes(of: CivilDate(daysSinceEpoch: day))
        out.append(UInt8(ascii: "T"))
        append(rest / 3_600_000, width: 2, to: &out)
        out.append(UInt8(ascii: ":"))
        append(rest / 60_000 % 60, width: 2, to: &out)
        out.append(UInt8(ascii: ":"))
        append(rest / 1_000 % 60, width: 2, to: &out)
        out.append(UInt8(ascii: "."))
        append(rest % 1_000, width: 3, to: &out)
        out.append(UInt8(ascii: "Z"))
        return out
    }

    /// The value of ASCII digits; nil if there is any other byte.
    static func number(_ bytes: some Sequence<UInt8>) -> Int? {
        var value = 0
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), value < 100_000_000 else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
    }

    private static func append(_ value: Int, width: Int, to out: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            out.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }
}

extension Timestamp {
    /// Reads a time as in RFC 3339, `2026-03-01T09:30:00.25Z` or `2026-03-01T10:30:00+01:00`. Fractions of a millisecond are cut
    /// off. Nil for any other text, and for a leap second.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, bytes[10] | 0x20 == UInt8(ascii: "t"), bytes[13] == UInt8(ascii: ":"),
            bytes[16] == UInt8(ascii: ":"), let date = CivilDate(text.prefix(10)),
            let hour = RFC3339.number(bytes[11..<13]), hour < 24, let minute = RFC3339.number(bytes[14..<16]), minute < 60,
            let second = RFC3339.number(bytes[17..<19]), second < 60
        else { return nil }
        var rest = bytes[19...]
        var milliseconds = 0
        if rest.first == UInt8(ascii: ".") {
            let digits = rest.dropFirst().prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard (1...9).contains(digits.count), let value = RFC3339.number(digits.prefix(3)) else { return nil }
            milliseconds = [100, 10, 1][min(digits.count, 3) - 1] * value
            rest = rest[digits.endIndex...]
        }
        guard let offset = Self.offsetMinutes(Array(rest)) else { return nil }
        let minutes = Int64(hour * 60 + minute - offset)
        self.init(milliseconds: date.startOfDay.milliseconds + minutes * 60_000 + Int64(second * 1_000 + milliseconds))
    }

    /// Minutes east of UTC.
    private static func offsetMinutes(_ zone: [UInt8]) -> Int? {
        if zone.count == 1, zone[0] | 0x20 == UInt8(ascii: "z") { return 0 }
        guard zone.count == 6, zone[3] == UInt8(ascii: ":"), let hours = RFC3339.number(zone[1..<3]), hours < 24,
            let minutes = RFC3339.number(zone[4..<6]), minutes < 60
        else { return nil }
        switch zone[0] {
        case UInt8(ascii: "+"): return hours * 60 + minutes
        case UInt8(ascii: "-"): return -(hours * 60 + minutes)
        default: return nil
        }
    }
}

extension Timestamp: CustomStringConvertible {
    /// The time in UTC as in RFC 3339, with milliseconds.
    public var description: String { String(decoding: RFC3339.bytes(of: self), as: UTF8.self) }
}
