import SparkCore

/// All charts as JSON: the times once, and each panel's lines.
struct ChartDocument: Sendable {
    enum Window: String, CaseIterable, Sendable {
        case hour, day

        var length: Duration { self == .hour ? .hours(1) : .days(1) }
    }

    /// Maximum points of a line: more than a chart's width in pixels.
    private static let longest = 400

    let history: History
    let clock: any WallClock

    func bytes(_ window: Window) -> [UInt8] {
        let since = clock.now() - window.length
        let lines = ChartLines(source: history, since: since, times: Self.thinned(history.times(since: since.milliseconds)))
        var writer = JSONWriter(capacity: 65_536)
        writer.object { writer in
            writer.field("window", window.rawValue)
            writer.key("times")
            writer.array { writer in for time in lines.times { writer.value(time) } }
            writer.key("panels")
            writer.object { writer in
                for panel in PanelGroup.all.flatMap(\.panels) {
                    writer.key(panel.identifier)
                    writer.array { writer in for line in lines.lines(of: panel) { line.write(to: &writer) } }
                }
            }
        }
        return writer.bytes
    }

    /// Every n-th time, always including the newest.
    private static func thinned(_ times: [Int64]) -> [Int64] {
        let step = max(1, (times.count + longest - 1) / longest)
        return times.indices.filter { (times.count - 1 - $0) % step == 0 }.map { times[$0] }
    }
}

extension ChartLines.Line: JSONWritable {
    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("title", title)
            writer.key("values")
            writer.array { writer in
                for value in values {
                    // Six decimal places are more than a chart shows.
                    if value.isFinite { writer.value((value * 1e6).rounded() / 1e6) } else { writer.null() }
                }
            }
        }
    }
}
