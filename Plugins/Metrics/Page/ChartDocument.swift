import SparkCore

/// All charts as JSON: the times once, and each panel's lines.
struct ChartDocument: Sendable {
    enum Window: String, WireWord {
        case hour, day

        static let schemaName = "ChartWindow"
        static let summary = "How far back the charts go."

        var length: Duration { self == .hour ? .hours(1) : .days(1) }
    }

    /// Maximum points of a line: more than a chart's width in pixels.
    private static let longest = 400

    let history: History
    let clock: any WallClock

    func charts(_ window: Window) -> Charts {
        let since = clock.now() - window.length
        let lines = ChartLines(source: history, since: since, times: Self.thinned(history.times(since: since.milliseconds)))
        return Charts(
            window: window, times: lines.times,
            panels: PanelGroup.all.flatMap(\.panels).map { (name: $0.identifier, lines: lines.lines(of: $0)) })
    }

    /// Every n-th time, always including the newest.
    private static func thinned(_ times: [Int64]) -> [Int64] {
        let step = max(1, (times.count + longest - 1) / longest)
        return times.indices.filter { (times.count - 1 - $0) % step == 0 }.map { times[$0] }
    }
}

/// The lines of all panels, for the page's script.
struct Charts: JSONObject {
    let window: ChartDocument.Window
    /// Milliseconds, ascending.
    let times: [Int64]
    let panels: [(name: String, lines: [ChartLines.Line])]

    static let fields = Fields<Charts>("Charts", "What the charts of the metrics page show.") {
        Field("window", \.window)
        Field("times", \.times, .list(.integer), "Milliseconds since 1970.")
        Field("panels", \.panels, panels, "The lines of each panel, by the panel's identifier.")
    }

    private static let panels = FieldType<[(name: String, lines: [ChartLines.Line])]>(
        Schema(
            ["type": "object", "additionalProperties": Schema.list(ChartLines.Line.reference).json],
            example: ["requests": .array([ChartLines.Line.schema.example])]
        ).named("ChartPanels")
    ) { panels, writer in
        writer.object { writer in
            for panel in panels {
                writer.key(panel.name)
                writer.array(panel.lines)
            }
        }
    }
}

extension ChartLines.Line: JSONObject {
    static let fields = Fields<ChartLines.Line>("ChartLine", "A line of a chart, with a value for each time.") {
        Field("title", \.title, .string)
        Field("values", { $0.values.map(rounded) }, .list(.nullable(.number(-1e15...1e15))), "Null where there is none.")
    }

    /// Six decimal places are more than a chart shows.
    private static func rounded(_ value: Double) -> Double? { value.isFinite ? (value * 1e6).rounded() / 1e6 : nil }
}
