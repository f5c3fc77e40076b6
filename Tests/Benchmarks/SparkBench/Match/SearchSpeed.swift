import SparkCore
import SparkDecks

/// The 50 nearest candidates by the hot index, beside a scan of everyone, by turns on one thread.
public struct SearchSpeed: Sendable {
    /// Microseconds of one search, the mean of all viewers; the median of the rounds.
    public let index: Double
    public let scan: Double
    /// The number of viewers with two answers: not as many people, or not as far away. Must be 0, otherwise the figures mean nothing.
    public let differing: Int

    /// - Parameters:
    ///   - people: of the crowd.
    ///   - probes: the number of viewers.
    public static func measure(people: Int = 100_000, probes: Int = 200, rounds: Int = 11) -> SearchSpeed {
        let crowd = Crowd(count: people, seed: MatchBenchmark.crowdSeed)
        let (index, flat) = (DeckIndex(), FlatScan(crowd))
        index.build(crowd.people)
        let queries = Probes.nearest(crowd, count: probes).queries
        let places = Dictionary(
            uniqueKeysWithValues: crowd.people.rows.map { ($0.id, Coordinate(latitude: $0.latitude, longitude: $0.longitude)) })
        let differing = queries.count { query in
            let (ranks, found) = (index.best(query).ranks, flat.nearest(query))
            let metres = ranks.compactMap { rank in
                places[rank.id.rawValue]?.flatMap { there in query.viewer.place?.distance(to: there).metres }
            }
            return ranks.count != found.ids.count || abs((metres.max() ?? 0) - found.metres) > 1
        }
        var times: (index: [Double], scan: [Double]) = ([], [])
        for _ in 0..<rounds {
            times.index.append(time(queries) { index.best($0).ranks.count })
            times.scan.append(time(queries) { flat.nearest($0).ids.count })
        }
        return SearchSpeed(index: Quantile.median(times.index), scan: Quantile.median(times.scan), differing: differing)
    }

    private static func time(_ queries: [CandidateQuery], _ search: (CandidateQuery) -> Int) -> Double {
        let began = ContinuousClock.now
        let found = queries.reduce(0) { $0 + search($1) }
        let seconds = began.duration(to: .now).inSeconds
        precondition(found >= 0)
        return seconds * 1e6 / Double(max(1, queries.count))
    }
}
