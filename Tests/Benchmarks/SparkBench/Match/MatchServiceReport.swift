public import SparkCore

/// The figures of decks, swipes and moves through a whole server. Times in microseconds.
public struct MatchServiceReport: JSONWritable, Sendable {
    public let people: Int
    /// A deck that is requested for the first time, and once more.
    public var first = Latencies.none
    public var again = Latencies.none
    /// With 128 requests under way.
    public var swipesPerSecond = 0.0
    public var movesPerSecond = 0.0
    /// Reported places, of which one in ten is in another cell.
    public var reportsPerSecond = 0.0
    /// Decks alone, and beside writes at the rates below.
    public var idle = Latencies.none
    public var loaded = Latencies.none
    public var loadedSwipes = 0.0
    public var loadedReports = 0.0

    public init(people: Int) { self.people = people }

    private var rows: [(name: String, words: String, latencies: Latencies)] {
        [
            ("first", "deck, first time", first), ("again", "deck, once more", again), ("idle", "deck, nothing written", idle),
            ("loaded", "deck, under writes", loaded),
        ]
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("people", people)
            for row in rows {
                writer.field("\(row.name)_p50_us", row.latencies.p50.rounded(to: 1))
                writer.field("\(row.name)_p95_us", row.latencies.p95.rounded(to: 1))
                writer.field("\(row.name)_p99_us", row.latencies.p99.rounded(to: 1))
            }
            writer.field("swipes_per_s", Int(swipesPerSecond))
            writer.field("moves_per_s", Int(movesPerSecond))
            writer.field("loaded_swipes_per_s", Int(loadedSwipes))
            writer.field("location_reports_per_s", Int(reportsPerSecond))
            writer.field("loaded_location_reports_per_s", Int(loadedReports))
        }
    }

    /// For a terminal.
    public var lines: [String] {
        [MatchReport.line("\(people) people, whole server", ["p50 µs", "p95 µs", "p99 µs"])]
            + rows.map { row in
                MatchReport.line(row.words, [row.latencies.p50, row.latencies.p95, row.latencies.p99].map { "\(Int($0))" })
            } + [
                "\(Int(swipesPerSecond)) swipes a second, \(Int(movesPerSecond)) moves to another cell, \(Int(reportsPerSecond)) reported places, of "
                    + "which one in ten is in another cell; each alone with 128 under way",
                "under writes: \(Int(loadedSwipes)) swipes and \(Int(loadedReports)) places begun a second",
            ]
    }
}
