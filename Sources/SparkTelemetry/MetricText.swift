/// Formats names, values and numbers for Prometheus.
public enum MetricText {
    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`: other characters become `_`, such as the `.` in names of libraries.
    static func name(_ text: String) -> String { clean(text, mayHoldColons: true) }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`.
    static func labelName(_ text: String) -> String { clean(text, mayHoldColons: false) }

    private static func clean(_ text: String, mayHoldColons: Bool) -> String {
        var bytes = text.utf8.map { byte -> UInt8 in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: byte
            case 0x3A where mayHoldColons: byte
            default: 0x5F
            }
        }
        if bytes.first.map({ (0x30...0x39).contains($0) }) ?? true { bytes.insert(0x5F, at: 0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A value or bound: `1.0`, `0.005`, `1e-05`, `+Inf`, `-Inf`, `NaN`.
    public static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return "\(value)"
    }

    /// A sample's value: whole numbers without a decimal point.
    static func sample(_ value: Double) -> String {
        guard let whole = Int64(exactly: value), abs(whole) < 1 << 53 else { return number(value) }
        return "\(whole)"
    }

    /// A label's value, escaped for use between quotes.
    static func quoted(_ text: String) -> String { escaped(text, quotes: true) }

    /// Escapes a help text. OpenMetrics also escapes quotes, the text format does not.
    static func escaped(_ text: String, quotes: Bool) -> String {
        guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x0A || $0 == 0x22 }) else { return text }
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\"" where quotes: out += "\\\""
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
