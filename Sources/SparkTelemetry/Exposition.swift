import SparkKit

/// Writes metric families in Prometheus's formats.
///
/// Sources: "Exposition formats, text format 0.0.4" (Prometheus documentation); OpenMetrics 1.0.0, section "Text Format".
public struct Exposition: Sendable {
    /// A format of a scrape's answer.
    public enum Format: Sendable {
        /// Prometheus's text format 0.0.4.
        case text
        /// OpenMetrics 1.0.0.
        case openMetrics

        /// The value of `Content-Type`.
        public var contentType: String {
            switch self {
            case .text: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }

        /// The format that an `Accept` header prefers. OpenMetrics only if the header names it with at least the weight of the
        /// text format.
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
    private var out: [UInt8] = []

    private init(_ format: Format) { self.format = format }

    /// The whole answer to a scrape, without families that have no sample.
    public static func write(_ families: [MetricFamily], as format: Format) -> [UInt8] {
        var exposition = Exposition(format)
        for family in families { exposition.write(family) }
        if format == .openMetrics { exposition.append("# EOF\n") }
        return exposition.out
    }

    private mutating func append(_ text: String) { out.append(contentsOf: text.utf8) }

    private mutating func write(_ family: MetricFamily) {
        let start = out.count
        let name = title(of: family)
        append("# HELP \(name) \(MetricText.escaped(family.help, quotes: format == .openMetrics))\n")
        append("# TYPE \(name) \(type(of: family))\n")
        if format == .openMetrics, let unit = ["seconds", "bytes", "ratio"].first(where: { name.hasSuffix("_\($0)") }) {
            append("# UNIT \(name) \(unit)\n")
        }
        let head = out.count
        family.forEachSample { write($0, $1, $2) }
        if out.count == head { out.removeSubrange(start...) }
    }

    private mutating func write(_ name: String, _ labels: [MetricLabel], _ value: Double) {
        append(name)
        var separator = "{"
        for label in labels {
            append(separator)
            append(label.name)
            append("=\"")
            append(MetricText.quoted(label.value))
            append("\"")
            separator = ","
        }
        append(labels.isEmpty ? " " : "} ")
        append(MetricText.sample(value))
        append("\n")
    }

    /// OpenMetrics names a counter's family without the `_total` of its samples.
    private func title(of family: MetricFamily) -> String {
        guard format == .openMetrics, family.kind == .counter, family.name.hasSuffix("_total") else { return family.name }
        return String(family.name.dropLast("_total".count))
    }

    private func type(of family: MetricFamily) -> String {
        // In OpenMetrics a counter's samples must end in `_total`; others are declared as unknown.
        if format == .openMetrics, family.kind == .counter, !family.name.hasSuffix("_total") { return "unknown" }
        return family.kind.rawValue
    }
}
