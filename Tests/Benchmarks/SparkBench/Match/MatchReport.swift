public import SparkCore

/// Times of some queries, in microseconds.
public struct Latencies: Sendable {
    public let p50: Double
    public let p95: Double
    public let p99: Double
    public let most: Double
    public let mean: Double

    public init(_ times: [Double]) {
        let sorted = times.sorted()
        (p50, p95, p99) = (Quantile.of(sorted, 0.5), Quantile.of(sorted, 0.95), Quantile.of(sorted, 0.99))
        most = sorted.last ?? 0
        mean = sorted.reduce(0, +) / Double(max(1, sorted.count))
    }

    public static let none = Latencies([])
}

/// The figures of one run at one number of people. Times in microseconds, of one query on one thread unless said otherwise.
public struct MatchReport: JSONWritable, Sendable {
    public let people: Int
    public let rebuild: Duration
    public let bytesPerPerson: Double
    /// The 50 nearest, all filters both ways as set.
    public internal(set) var nearest = Latencies.none
    /// The 20 best by score, likewise.
    public internal(set) var scored = Latencies.none
    /// The ranking behind a deck: the 128 best, with limits that are loosened.
    public internal(set) var decks = Latencies.none
    /// The same for viewers who have swiped everybody around them, alone and while somebody moves every millisecond.
    public internal(set) var exhausted = Latencies.none
    public internal(set) var exhaustedUnderMoves = Latencies.none
    /// Those moves: how long each waits for the searches and changes the index.
    public internal(set) var moveWaits = Latencies.none
    /// The 50 nearest, and the 20 best, for viewers in the largest city.
    public internal(set) var dense = Latencies.none
    public internal(set) var denseScored = Latencies.none
    /// While 10,000 people a second move and 5,000 swipe.
    public internal(set) var underLoad = Latencies.none
    public internal(set) var scoredUnderLoad = Latencies.none
    /// The 50 nearest, and the 20 best, on two threads.
    public internal(set) var decksPerSecond = 0.0
    public internal(set) var scoredPerSecond = 0.0
    /// One change of membership, and one move to another cell.
    public internal(set) var touch = 0.0
    public internal(set) var move = 0.0
    /// Answers compared with a full scan, and how many of them differed.
    public internal(set) var compared = 0
    public internal(set) var differing = 0

    init(people: Int, rebuild: Duration, bytesPerPerson: Double) {
        self.people = people
        self.rebuild = rebuild
        self.bytesPerPerson = bytesPerPerson
    }

    private var rows: [(name: String, words: String, latencies: Latencies)] {
        [
            ("nearest", "50 nearest", nearest), ("score", "20 best", scored), ("deck", "128 best, limits loosened", decks),
            ("exhausted", "128 best, all near swiped", exhausted),
            ("exhausted_under_moves", "the same, beside moves", exhaustedUnderMoves),
            ("move_wait", "a move beside them", moveWaits),
            ("dense_nearest", "50 nearest, largest city", dense), ("dense_score", "20 best, largest city", denseScored),
            ("loaded_nearest", "50 nearest, under writes", underLoad), ("loaded_score", "20 best, under writes", scoredUnderLoad),
        ]
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("people", people)
            for row in rows {
                writer.field("\(row.name)_p50_us", row.latencies.p50.rounded(to: 1))
                writer.field("\(row.name)_p95_us", row.latencies.p95.rounded(to: 1))
                writer.field("\(row.name)_p99_us", row.latencies.p99.rounded(to: 1))
                writer.field("\(row.name)_max_us", row.latencies.most.rounded(to: 1))
                writer.field("\(row.name)_mean_us", row.latencies.mean.rounded(to: 1))
            }
            writer.field("decks_per_s", Int(decksPerSecond))
            writer.field("scored_decks_per_s", Int(scoredPerSecond))
            writer.field("swipe_us", touch.rounded(to: 2))
            writer.field("location_us", move.rounded(to: 2))
            writer.field("rebuild_ms", Int(rebuild.milliseconds))
            writer.field("bytes_per_person", bytesPerPerson.rounded(to: 1))
            writer.field("compared_with_brute_force", compared)
            writer.field("differing_from_brute_force", differing)
        }
    }

    static func line(_ name: String, _ cells: [String]) -> String {
        func spaces(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }
        return name + spaces(30 - name.count) + cells.map { spaces(9 - $0.count) + $0 }.joined()
    }

    /// For a terminal.
    public var lines: [String] {
        let table = rows.map { row in
            let times = [row.latencies.p50, row.latencies.p95, row.latencies.p99, row.latencies.most]
            return Self.line(row.words, times.map { "\(Int($0))" })
        }
        return [Self.line("\(people) people", ["p50 µs", "p95 µs", "p99 µs", "max µs"])] + table + [
            "\(Int(decksPerSecond)) decks a second of the 50 nearest on two threads, \(Int(scoredPerSecond)) of the 20 best",
            "a swipe takes \(touch.rounded(to: 1)) µs of the index, a move to another cell \(move.rounded(to: 1)) µs",
            "rebuilt in \(rebuild.milliseconds) ms, \(bytesPerPerson.rounded(to: 1)) bytes a person",
            "\(compared) answers compared with a full scan: \(differing) differ",
        ]
    }
}
