import SparkKit

/// Writes families of metrics as Prometheus reads them.
///
/// Sources: "Exposition formats, text format 0.0.4" (Prometheus documentation); OpenMetrics 1.0.0, section "Text Format".
public struct Exposition: Sendable {
    public enum Format: Sendable {
        case text
        case openMetrics

        public var contentType: String {
            switch self {
            case .text: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }

        /// The format that the field `Accept` prefers; the older one unless the newer is asked for by name and not less wanted.
        public static func accepted(by field: String?) -> Format {
            var weights: (text: Double, openMetrics: Double) = (0, 0)
            for part in (field ?? "").lowercased().split(separator: ",") {
                let pieces = part.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
                let weight = pieces.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
                switch pieces.first {
                case "application/openmetrics-text": weights.openMetrics = max(weights.openMetrics, weight)
                case "text/plain", "text/*": weights.text = max(weights.text, weight)
                default: continue
                }
            }
            return weights.openMetrics > 0 && weights.openMetrics >= weights.text ? .openMetrics : .text
        }
    }

    private let format: Format
    private var out = ""

    private init(_ format: Format) { self.format = format }

    /// The whole answer to a scrape. Families without a sample are left out.
    public static func write(_ families: [MetricFamily], as format: Format) -> [UInt8] {
        var exposition = Exposition(format)
        for family in families { exposition.write(family) }
        if format == .openMetrics { exposition.out += "# EOF\n" }
        return Array(exposition.out.utf8)
    }

    private mutating func write(_ family: MetricFamily) {
        var samples = ""
        family.forEachSample { name, labels, value in
            samples += name
            if !labels.isEmpty {
                samples += "{"
                for (index, label) in labels.enumerated() {
                    if index > 0 { samples += "," }
                    samples += label.name
                    samples += "=\""
                    samples += MetricText.quoted(label.value)
                    samples += "\""
                }
                samples += "}"
            }
            samples += " "
            samples += MetricText.sample(value)
            samples += "\n"
        }
        guard !samples.isEmpty else { return }
        let name = title(of: family)
        out += "# HELP \(name) \(MetricText.escaped(family.help, quotes: format == .openMetrics))\n"
        out += "# TYPE \(name) \(type(of: family))\n"
        if format == .openMetrics, let unit = ["seconds", "bytes", "ratio"].first(where: { name.hasSuffix("_\($0)") }) {
            out += "# UNIT \(name) \(unit)\n"
        }
        out += samples
    }

    /// In OpenMetrics a counter's family is called without the `_total` of its samples.
    private func title(of family: MetricFamily) -> String {
        guard format == .openMetrics, family.kind == .counter, family.name.hasSuffix("_total") else { return family.name }
        return String(family.name.dropLast("_total".count))
    }

    private func type(of family: MetricFamily) -> String {
        // A counter's samples must end in `_total` there; what does not is of no type that the format knows.
        if format == .openMetrics, family.kind == .counter, !family.name.hasSuffix("_total") { return "unknown" }
        return family.kind.rawValue
    }
}
