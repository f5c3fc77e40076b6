/// One chart of the page: title, unit and lines.
struct Panel: Sendable {
    enum Unit: String, Sendable {
        case seconds, bytes, ratio, count
        case perSecond = "per_second"
        case perMinute = "per_minute"
        case cores
    }

    /// The source of lines. Rates and quantiles cover the last half minute (the last minutes in the day's view).
    enum Source: Sendable {
        /// The growth per second times a factor, of all series together, or a line per value of a label.
        case rate(String, by: String? = nil, factor: Double = 1)
        case value(String, by: String? = nil)
        case quantile(String, Double)
        /// The share of the series with one of these values of a label, for each value of another label.
        case share(String, label: String, of: Set<String>, by: String, only: Set<String>)
    }

    struct Line: Sendable {
        /// Precedes the label's value if the source makes several lines.
        let title: String
        let source: Source
    }

    let identifier: String
    let title: String
    let unit: Unit
    let lines: [Line]

    init(_ identifier: String, _ title: String, _ unit: Unit, _ lines: [Line]) {
        self.identifier = identifier
        self.title = title
        self.unit = unit
        self.lines = lines
    }

    /// A panel with one source; its label's values are the titles.
    init(_ identifier: String, _ title: String, _ unit: Unit, _ source: Source) {
        self.init(identifier, title, unit, [Line(title: "", source: source)])
    }

    /// The median, 95th and 99th percentile of a histogram.
    static func times(_ identifier: String, _ title: String, _ name: String) -> Panel {
        Panel(
            identifier, title, .seconds,
            [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")].map { Line(title: $0.1, source: .quantile(name, $0.0)) })
    }
}

/// Panels under one heading.
struct PanelGroup: Sendable {
    let title: String
    let panels: [Panel]
}
