/// One chart of the page: what it is called, what its numbers are, and the lines in it.
struct Panel: Sendable {
    enum Unit: String, Sendable {
        case seconds, bytes, ratio, count
        case perSecond = "per_second"
        case perMinute = "per_minute"
        case cores
    }

    /// Where lines come from. Rates and quantiles are those of the last half minute (of the last minutes over a day).
    enum Source: Sendable {
        /// The growth a second, times a factor, of all series together, or a line for each value of a label.
        case rate(String, by: String? = nil, factor: Double = 1)
        case value(String, by: String? = nil)
        case quantile(String, Double)
        /// The share of what has one of these values of a label, for each value of another.
        case share(String, label: String, of: Set<String>, by: String, only: Set<String>)
    }

    struct Line: Sendable {
        /// Before the label's value, if the source makes several lines.
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

    /// One source for the whole panel, whose label's values are the titles.
    init(_ identifier: String, _ title: String, _ unit: Unit, _ source: Source) {
        self.init(identifier, title, unit, [Line(title: "", source: source)])
    }

    /// The median, the slow twentieth and the slow hundredth of a histogram.
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
