import Foundation

/// Formats a number as Prometheus's template functions do.
struct HumanNumber {
    private let value: Double

    init(_ value: Double) { self.value = value }

    func text(_ filter: AlertTemplate.Filter?) -> String {
        switch filter {
        case nil: plain
        case .humanize: scaled(by: 1_000, large: ["k", "M", "G", "T", "P", "E", "Z", "Y"], small: Self.small)
        case .humanize1024: scaled(by: 1_024, large: ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"], small: [])
        case .humanizePercentage: short(value * 100) + "%"
        case .humanizeDuration: duration
        case .whole: unusual ?? String(format: "%.0f", value)
        }
    }

    private static let small = ["m", "u", "n", "p", "f", "a", "z", "y"]

    private var unusual: String? {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return nil
    }

    /// The shortest exact digits, with an exponent from 10^21 and below 10^-4 (Go's `%v`).
    private var plain: String {
        if let unusual { return unusual }
        if value == 0 { return value.sign == .minus ? "-0" : "0" }
        for digits in 1...17 {
            let text = String(format: "%.\(digits - 1)e", value)
            guard Double(text) == value, let cut = text.firstIndex(of: "e"), let exponent = Int(text[text.index(after: cut)...])
            else { continue }
            if exponent < -4 || exponent >= 21 { return text }
            return String(format: "%.\(max(0, digits - 1 - exponent))f", value)
        }
        return "\(value)"
    }

    /// Four significant digits.
    private func short(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return String(format: "%.4g", value)
    }

    private func scaled(by step: Double, large: [String], small: [String]) -> String {
        if value == 0 || !value.isFinite { return short(value) }
        var (rest, prefix) = (value, "")
        if abs(value) >= 1 {
            for next in large where abs(rest) >= step {
                prefix = next
                rest /= step
            }
        } else {
            for next in small where abs(rest) < 1 {
                prefix = next
                rest *= step
            }
        }
        return short(rest) + prefix
    }

    private var duration: String {
        if let unusual { return unusual }
        if value == 0 { return short(value) + "s" }
        guard abs(value) >= 1 else { return scaled(by: 1_000, large: [], small: Self.small) + "s" }
        guard let whole = Int64(exactly: abs(value).rounded(.towardZero)) else { return short(value) + "s" }
        let sign = value < 0 ? "-" : ""
        let (days, hours, minutes, seconds) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60, whole % 60)
        if days > 0 { return "\(sign)\(days)d \(hours)h \(minutes)m \(seconds)s" }
        if hours > 0 { return "\(sign)\(hours)h \(minutes)m \(seconds)s" }
        if minutes > 0 { return "\(sign)\(minutes)m \(seconds)s" }
        return short(value) + "s"
    }
}
