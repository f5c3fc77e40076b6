import SparkCore
import Testing

@testable import SparkMetrics

@Suite("Charts")
struct ChartTests {
    /// Series that are given.
    private struct Given: SeriesSource {
        let all: [String: [Series]]

        func series(named name: String, since: Timestamp) -> [Series] { all[name] ?? [] }
    }

    private let times: [Int64] = [0, 10_000, 20_000, 30_000, 40_000]

    private func series(_ labels: [String: String], _ values: [Double]) -> Series {
        Series(
            labels: labels,
            samples: zip(times, values).filter { !$1.isNaN }.map { Sample(at: Timestamp(milliseconds: $0), value: $1) })
    }

    private func lines(_ source: Panel.Source, _ all: [String: [Series]]) -> [ChartLines.Line] {
        ChartLines(source: Given(all: all), since: Timestamp(milliseconds: 0), times: times)
            .lines(of: Panel("p", "P", .count, source))
    }

    @Test("a rate covers the last half minute, across gaps and restarts")
    func rate() {
        let made = lines(.rate("a_total"), ["a_total": [series([:], [0, 10, 30, 5, 15])]])
        // 0 10 30 | began anew: 35, 45
        #expect(made.map(\.values.description) == [[Double.nan, 1, 1.5, 35.0 / 30, 35.0 / 30].description])
        let late = lines(.rate("a_total"), ["a_total": [series([:], [.nan, .nan, 0, 10, .nan])]])
        #expect(late.map(\.values.description) == [[Double.nan, .nan, .nan, 1, .nan].description])
    }

    @Test("values are summed, or split into one line per label value")
    func values() {
        let all = ["g": [series(["l": "b"], [1, 1, 1, 1, 1]), series(["l": "a"], [2, .nan, 2, 2, 2])]]
        #expect(lines(.value("g"), all).map(\.values) == [[3, 1, 3, 3, 3]])
        #expect(lines(.value("g", by: "l"), all).map(\.title) == ["a", "b"])
        #expect(lines(.value("none"), all).isEmpty)
    }

    @Test("a quantile lies within its bucket, and on the last bound above all")
    func quantile() {
        let buckets = [
            "h_bucket": [
                series(["le": "1.0"], [0, 0, 0, 0, 0]), series(["le": "2.0"], [0, 10, 10, 10, 10]),
                series(["le": "+Inf"], [0, 10, 10, 10, 20]),
            ]
        ]
        let half = lines(.quantile("h", 0.5), buckets)[0].values
        #expect(half[1] == 1.5)
        let most = lines(.quantile("h", 0.99), buckets)[0].values
        #expect(most[4] == 2)
        #expect(most[0].isNaN)
    }

    @Test("a share relates to the requests in the same time")
    func share() {
        let all = [
            "c_total": [
                series(["layer": "l1", "result": "hit"], [0, 3, 3, 3, 3]),
                series(["layer": "l1", "result": "miss"], [0, 1, 1, 1, 1]),
                series(["layer": "origin", "result": "loaded"], [0, 9, 9, 9, 9]),
            ]
        ]
        let made = lines(.share("c_total", label: "result", of: ["hit"], by: "layer", only: ["l1"]), all)
        #expect(made.map(\.title) == ["l1"])
        #expect(abs((made.first?.values[1] ?? 0) - 0.75) < 1e-9)
    }
}
