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

extension Timestamp: CustomStringConvertible {
    /// The time in UTC as in RFC 3339, with milliseconds.
    public var description: String { String(decoding: RFC3339.bytes(of: self), as: UTF8.self) }
}
